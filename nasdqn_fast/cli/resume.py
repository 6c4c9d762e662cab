"""``nasdqn-fast resume``: a run goes on that did not come to its end, or is to be longer."""

from __future__ import annotations

from pathlib import Path

import click

from nasdqn_fast.cli.listeners import listener_options, listeners


@listener_options
@click.command(short_help="Continue a run that was interrupted, stopped, killed or failed, or make it longer.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--episodes", type=click.INT, help="Length of the run from now on, also of a finished one [default: as it was]."
)
def command(run: Path, episodes: int | None, tensorboard: Path | None, monitor: Path | None) -> None:
    """Continue the run in directory RUN, which was interrupted, stopped, killed or failed, or is to be longer.

    From its newest checkpoint, bit-identical to a run that was left alone. --tensorboard and --monitor go on with what
    train wrote there: episodes that are played again are not there twice.
    """
    from nasdqn_fast.cli.display import display, screen
    from nasdqn_fast.cli.tables import show_run
    from nasdqn_fast.run.api import resume
    from nasdqn_fast.run.directory import read_config

    console = screen()
    config = read_config(run, {"episodes": episodes})
    others = listeners(config, tensorboard, monitor, resume=True)
    with display(console, config.run.episodes, config.agent.steps) as progress:
        result = resume(run, episodes=episodes, progress=[progress, *others])
    if result is None:
        console.print(f"the run in {run} is finished: there is nothing to resume", soft_wrap=True, markup=False)
    else:
        show_run(console, result)
