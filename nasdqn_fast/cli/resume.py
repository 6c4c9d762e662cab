"""``nasdqn-fast resume``: a run that did not come to its end goes on."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Go on with a run that was interrupted, killed or failed.")
@click.argument("run", type=click.Path(path_type=Path))
def command(run: Path) -> None:
    """Go on with the interrupted, killed or failed run in directory RUN.

    From its newest checkpoint, to the bits that it would have come to without the interruption.
    """
    from nasdqn_fast.cli.display import display, screen
    from nasdqn_fast.cli.tables import show_run
    from nasdqn_fast.run.api import resume
    from nasdqn_fast.run.directory import read_config

    console = screen()
    with display(console, read_config(run).run.episodes) as progress:
        result = resume(run, progress=progress)
    if result is None:
        console.print(f"the run in {run} is finished: there is nothing to resume", soft_wrap=True, markup=False)
    else:
        show_run(console, result)
