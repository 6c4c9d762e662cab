"""``nasdqn-fast tabulate``: the tabulated benchmark, made or summed up."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nasdqn_fast.cli.naming import naming
from nasdqn_fast.cli.options import ListType, SectionedCommand, SettingOption, given
from nasdqn_fast.config import all_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from nasdqn_fast.study.table.tabulate import Progress, Tabulated

LINE_EVERY = 10.0  # s between two plain lines of progress
# What a table has in place of the default of `train`.
_OWN_DEFAULTS = {"horizon_is": "truncated", "policy_epsilon_decay": "0.985"}
_FIXED = ("optimizer", "steps")  # the task's name says the optimizer; every row has as many episodes
_SPACE = ("depths", "widths", "activations", "architectures")


def _setting_options(command: click.Command) -> click.Command:
    """Adds the settings of the agent and of the search space."""
    command.params += [
        SettingOption(setting, _OWN_DEFAULTS.get(setting.keyword))
        for setting in all_settings()
        if (setting.section == "agent" and setting.keyword not in _FIXED) or setting.keyword in _SPACE
    ]
    return command


@_setting_options
@click.command(cls=SectionedCommand, short_help="Make a table of learning curves, every architecture.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Directory; the same command continues an unfinished table."
)
@click.option(
    "--tasks",
    type=ListType(str),
    help="upright, uniform, hanging (the pendulum), cartpole, acrobot, mountain-car, or any --env of `train`; with "
    "-sgd learned by SGD in place of Adam.  [default: all six, uniform-sgd and hanging-sgd]",
)
@click.option(
    "--seeds", type=int, default=16, show_default=True, help="Seeds; half for searching, half for the final score."
)
@click.option("--episodes", type=int, default=600, show_default=True, help="Episodes of each row.")
@click.option("--evaluate-every", type=int, default=25, show_default=True, help="Episodes between evaluations.")
@click.option("--evaluate-episodes", type=int, default=20, show_default=True, help="Episodes of an evaluation.")
@click.option("--shard", metavar="K/N", help="Compute every N-th row, beginning with the K-th.")
@click.option("--threads", type=int, help="Rows computed at once.  [default: one for each core]")
@click.option(
    "--summary",
    type=click.Path(path_type=Path),
    metavar="TABLE",
    help="Compute nothing; show how much architectures and seeds differ in this table, and which to take.",
)
def command(
    out: Path | None,
    tasks: tuple[str, ...] | None,
    seeds: int,
    episodes: int,
    evaluate_every: int,
    evaluate_episodes: int,
    shard: str | None,
    threads: int | None,
    summary: Path | None,
    **settings: Any,
) -> None:
    """Train every architecture on every task with every seed, into one table of learning curves.

    The table is DIR/table.npz (docs/table.md). `search --on-table` and `nasdqn_fast.Table` read it.
    """
    if (out is None) == (summary is None):
        raise click.UsageError("give --out DIR to make a table, or --summary TABLE to look at one")

    from nasdqn_fast.cli.display import screen
    from nasdqn_fast.cli.table_summary import show_summary

    console = screen()
    if summary is not None:
        from nasdqn_fast.study.table import Table

        show_summary(console, Table.load(summary))
        return

    from nasdqn_fast.config import resolve
    from nasdqn_fast.study.table import Table
    from nasdqn_fast.study.table.plan import Plan
    from nasdqn_fast.study.table.tabulate import tabulate

    assert out is not None
    chosen = given(settings)
    space = resolve(None, {name: chosen.pop(name, None) for name in _SPACE}).search.space()
    about = {} if tasks is None else {"tasks": tasks}
    with naming("seeds", "episodes", "evaluate_every", "evaluate_episodes", "threads"):
        plan = Plan(
            architectures=tuple(map(str, space)),
            seeds=seeds,
            episodes=episodes,
            evaluate_every=evaluate_every,
            evaluate_episodes=evaluate_episodes,
            learner=chosen,
            **about,
        )
        with _display(console) as progress:
            made = tabulate(out, plan, shard=shard, threads=threads, progress=progress)
    _report(console, made)
    if made.table is not None:
        show_summary(console, Table.load(made.table))


def _report(console: Console, made: Tabulated) -> None:
    from nasdqn_fast.cli.display import literal

    for cell, why in made.failures.items():
        console.print(literal(f"failed: {cell}: {why}"), soft_wrap=True)
    if made.table is not None:
        console.print(literal(f"table of {made.rows:,} rows: {made.table}"), soft_wrap=True)
    elif made.failures:
        raise click.exceptions.Exit(1)
    else:
        console.print(
            f"{made.missing:,} of {made.rows:,} rows are other shards'; the table is written when all are there"
        )


@contextlib.contextmanager
def _display(console: Console) -> Iterator[Callable[[Progress], None]]:
    """One live line on a terminal, plain lines now and then elsewhere."""
    from rich.live import Live

    from nasdqn_fast.cli.display import literal

    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda progress: live.update(literal(_line(progress)), refresh=True)
        return
    due = 0.0

    def print_line(progress: Progress) -> None:
        nonlocal due
        if (now := time.monotonic()) >= due or progress.done == progress.rows:
            due = now + LINE_EVERY
            console.print(literal(_line(progress)), soft_wrap=True)

    yield print_line


def _line(progress: Progress) -> str:
    from nasdqn_fast.cli.display import hours

    parts = [f"row {progress.done:,} of {progress.rows:,}"]
    if progress.seconds_left is not None:
        parts.append(f"{hours(progress.seconds_left)} left")
    if progress.last is not None:
        parts.append(str(progress.last))
    return " | ".join(parts)
