"""Options of commands that train, for records in the forms of other libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from nasdqn_fast.config import Config


def listener_options(command: click.Command) -> click.Command:
    """Adds ``--tensorboard`` and ``--monitor`` to a command, whose function gets them as paths or None."""
    path = click.Path(path_type=Path)
    command.params += [
        click.Option(
            ["--tensorboard"],
            type=path,
            metavar="DIR",
            help="Write scalars for TensorBoard there; needs the extra [tensorboard].",
        ),
        click.Option(
            ["--monitor"], type=path, metavar="FILE", help="Write episodes there, as Stable-Baselines3's monitor.csv."
        ),
    ]
    return command


def listeners(config: Config, tensorboard: Path | None, monitor: Path | None, *, resume: bool = False) -> list[Any]:
    """The listeners that the options ask for.

    Args:
        config: of the run.
        tensorboard, monitor: as given.
        resume: the files may be those of an earlier process of the run.

    Raises:
        InputError: there are such files and `resume` is false, or a package is missing.
    """
    found: list[Any] = []
    if tensorboard is not None:
        from nasdqn_fast.interop.tensorboard import TensorBoard

        found.append(TensorBoard(tensorboard, resume=resume))
    if monitor is not None:
        from nasdqn_fast.interop.monitor import Monitor

        found.append(Monitor(monitor, str(config.env.name), resume=resume))
    return found
