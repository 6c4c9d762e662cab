"""``nasdqn-fast resume``: a run goes on that did not come to its end, or is to be longer."""

from __future__ import annotations

from pathlib import Path

import click

from nasdqn_fast.cli.listeners import listener_options, listeners


@listener_options
@click.command(short_help="Continue a run that was interrupted, stopped, killed or failed, or make it longer.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--episodes", type=click.INT, help="New length of the run; a finished run is continued, too.  [default: as it was]"
)
def command(run: Path, episodes: int | None, tensorboard: Path | None, monitor: Path | None) -> None:
    """Continue the run in the directory RUN from its newest checkpoint.

    The result is bit-identical to an uninterrupted run. --tensorboard and --monitor continue the files that train
    wrote, without writing an episode twice.
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
