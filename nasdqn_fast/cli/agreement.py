"""``nasdqn-fast agreement``: how far trial estimators rank architectures as full training does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nasdqn_fast.cli.naming import naming
from nasdqn_fast.errors import InputError, TrialFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from nasdqn_fast.statistics.bootstrap import Interval
    from nasdqn_fast.study.agreement import Agreement

FILE = "agreement.json"


@click.command(short_help="Rank agreement of trial estimators with full training, and their cost.")
@click.option("--table", default="paper", show_default=True, help="A table: its path, or the name of a shipped one.")
@click.option("--task", required=True, help="A task of it; `tabulate --summary` shows them.")
@click.option(
    "--estimators",
    multiple=True,
    help="Names of `list trial-estimators`, or module:attribute, each perhaps with options: low-fidelity+episodes=50; "
    "with commas between, repeatable.  [default: all]",
)
@click.option("--repeats", type=int, help="Rankings of each.  [default: as many as the table has seeds for searching]")
@click.option("--episodes", type=int, help="Episodes of full training.  [default: all that the table has]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Directory for agreement.json, and for the runs of estimators that a table cannot answer, as inherit; "
    "the same command continues them.  [default: none, and these are left out]",
)
@click.option("--threads", type=click.INT, help="Such runs at a time.  [default: one for each core]")
def command(
    table: str,
    task: str,
    estimators: tuple[str, ...],
    repeats: int | None,
    episodes: int | None,
    out: Path | None,
    threads: int | None,
) -> None:
    """Estimate every architecture of a table, and compare with full training: Kendall's tau, steps and updates.

    The interval is by resampling seeds (docs/trial_estimators.md).
    """
    from nasdqn_fast.cli.display import screen
    from nasdqn_fast.cli.output import say
    from nasdqn_fast.cli.study_display import study_display
    from nasdqn_fast.extras import MissingExtra
    from nasdqn_fast.study.agreement import built_in, rank_agreement
    from nasdqn_fast.study.table import Table
    from nasdqn_fast.study.table.search import NotInTable

    data = Table.load(table)
    names = [name.strip() for text in estimators for name in text.split(",") if name.strip()] or built_in()
    asked = {name: _parsed(name) for name in names}
    console = screen()
    found = []
    with study_display(console) as show, naming("repeats", "episodes", "threads"):
        for name, (estimator, options) in asked.items():
            folder = None if out is None else out / name.replace(":", ".")
            about: dict[str, Any] = {
                "repeats": repeats,
                "episodes": episodes,
                "out": folder,
                "threads": threads,
                "show": show,
            }
            try:
                found.append((name, rank_agreement(data, task, estimator, options, **about)))
            except (NotInTable, MissingExtra) as error:
                why = f"{error}: give --out DIR" if isinstance(error, NotInTable) else error
                if estimators:
                    raise InputError(f"{name}: {why}") from None
                say(f"{name} is left out: {why}")
            except TrialFailed:  # the display has said which, and why
                raise click.exceptions.Exit(1) from None
    intervals = [agreement.interval() for _, agreement in found]
    _show(console, found, intervals)
    if out is not None:
        _write(out, task, found, intervals)


def _parsed(text: str) -> tuple[str, dict[str, Any]]:
    """Name and options of ``NAME+OPTION=VALUE+...``."""
    from nasdqn_fast.options import parse_options
    from nasdqn_fast.plugins import find

    name, *pairs = text.split("+")
    texts = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"--estimators {text!r}: {pair!r} must be OPTION=VALUE, as episodes=50")
        texts[key] = value
    return name, parse_options(find("trial-estimators", name), texts, f"trial estimator {name!r}")


def _show(console: Console, found: Sequence[tuple[str, Agreement]], intervals: Sequence[Interval]) -> None:
    from rich.table import Column
    from rich.table import Table as Grid

    from nasdqn_fast.cli.display import literal, with_interval

    numbers = (Column(name, no_wrap=True) for name in ("tau", "steps", "updates", "share"))
    grid = Grid(Column("estimator", overflow="fold"), *numbers)
    for (name, agreement), interval in zip(found, intervals, strict=True):
        grid.add_row(
            literal(name),
            with_interval(agreement.tau, interval, digits=2),
            f"{agreement.steps:,.0f}",
            f"{agreement.updates:,.0f}",
            f"{agreement.steps / agreement.full_steps:.1%}",
        )
    console.print(grid)
    if found:
        _, first = found[0]
        repeats, seeds = len(first.estimates), len(first.truth)
        console.print(
            f"tau: with the mean of full training over {seeds} seeds, of {len(first.architectures)} architectures, "
            f"averaged over {repeats} rankings; steps and updates are a trial's, the share is of full training's steps",
            soft_wrap=True,
        )


def _write(out: Path, task: str, found: Sequence[tuple[str, Agreement]], intervals: Sequence[Interval]) -> None:
    from nasdqn_fast.run.directory import write_texts

    names = ("tau", "steps", "updates", "full_steps", "full_updates")
    rows = {
        name: {key: getattr(agreement, key) for key in names}
        | {"interval": interval, "estimates": agreement.estimates.tolist()}
        for (name, agreement), interval in zip(found, intervals, strict=True)
    }
    truth = {str(a): column.tolist() for a, column in zip(found[0][1].architectures, found[0][1].truth.T, strict=True)}
    content = {"format": 1, "task": task, "truth": truth, "estimators": rows}
    write_texts(out, {FILE: f"{json.dumps(content, indent=1, allow_nan=False)}\n"})
