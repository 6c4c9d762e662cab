"""``nasdqn-fast experiment``: a study, many runs in one folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from nasdqn_fast.cli.options import SectionedCommand, given, parse_plugin_options, setting_options
from nasdqn_fast.cli.output import say
from nasdqn_fast.errors import InputError
from nasdqn_fast.study import api
from nasdqn_fast.study.cells import split_names, split_values


@partial(setting_options, but=("method", "env", "seed"))
@click.command(cls=SectionedCommand, short_help="Train several methods with several seeds: a study.")
@click.option("--out", type=click.Path(path_type=Path), default=api.OUT, show_default=True, help="Folder of the study.")
@click.option(
    "--methods",
    multiple=True,
    help="Methods separated by commas, each with settings if wanted, as nas-dqn+search.transfer=fresh; "
    f"repeatable.  [default: {','.join(api.METHODS)}]",
)
@click.option(
    "--tasks",
    multiple=True,
    help="Environments separated by commas, with settings if wanted, as inverted-pendulum+env.start=hanging; "
    "repeatable.  [default: inverted-pendulum]",
)
@click.option(
    "--seeds",
    multiple=True,
    metavar="N or METHOD=N",
    help=f"Seeds of every method, or of one; repeatable.  [default: {api.SEEDS}]",
)
@click.option(
    "--first-seed",
    type=click.INT,
    default=api.FIRST_SEED,
    show_default=True,
    help="First seed; seeds below 100 are kept for tuning.",
)
@click.option(
    "--grid",
    multiple=True,
    metavar="SECTION.OPTION=V1,V2,...",
    help="Train each method at each of these values, as agent.learning_rate=0.001,0.003; repeatable.",
)
@click.option("--shard", metavar="K/N", help="Train share K of N first, then what no other process has.")
@click.option("--threads", type=click.INT, help="Trials at a time.  [default: a thread for each core]")
@click.option("--scheduler", metavar="ADDRESS", help="Run on the workers of this Dask scheduler.")
@click.option("--config", "file", type=click.Path(path_type=Path), help="TOML file with settings; options override it.")
def command(
    out: Path,
    methods: tuple[str, ...],
    tasks: tuple[str, ...],
    seeds: tuple[str, ...],
    first_seed: int,
    grid: tuple[str, ...],
    shard: str | None,
    threads: int | None,
    scheduler: str | None,
    file: Path | None,
    **options: Any,
) -> None:
    """Train every method on every task with every seed, in threads, and keep each run's directory.

    Without options this is the paper's protocol. The same command continues an unfinished study.
    """
    from nasdqn_fast.cli.display import screen
    from nasdqn_fast.cli.study_display import show_end, study_display

    names = [name for text in methods for name in split_names(text)]
    console = screen()
    with study_display(console) as show:
        study, progress = api.run_study(
            names or None,
            [task for text in tasks for task in split_names(text)] or None,
            _seeds(seeds, names or api.METHODS),
            grid=_grid(grid),
            config=file,
            out=out,
            first_seed=first_seed,
            options=parse_plugin_options(file, given(options)),
            shard=shard,
            threads=threads,
            scheduler=scheduler,
            show=show,
        )
    show_end(console, study, progress)
    if progress.noted:
        say(f"warning: {api.noted(progress)}")
    if progress.failed:
        say(f"{len(progress.failed):,} trials failed; the same command tries them again")
        raise click.exceptions.Exit(1)


def _seeds(texts: tuple[str, ...], methods: Any) -> dict[str, int] | None:
    """Method -> seeds; None if nothing was given."""
    if not texts:
        return None
    seeds = dict.fromkeys(methods, api.SEEDS)
    for text in sorted(texts, key=lambda text: "=" in text):  # of every method first
        method, equals, number = text.rpartition("=")
        if not number.strip().isdecimal() or not int(number):
            raise InputError(f"--seeds must be N or METHOD=N, as nas-dqn=200; got {text!r}")
        seeds |= {method: int(number)} if equals else dict.fromkeys(methods, int(number))
    return seeds


def _grid(texts: tuple[str, ...]) -> dict[str, list[str]]:
    grid: dict[str, list[str]] = {}
    for text in texts:
        setting, equals, values = text.partition("=")
        if not equals:
            raise InputError(
                f"--grid must be SECTION.OPTION=V1,V2,..., as agent.learning_rate=0.001,0.003; got {text!r}"
            )
        if setting in grid:
            raise InputError(f"--grid {setting} is given twice; give all its values at once")
        grid[setting] = split_values(setting, values)
    return grid
