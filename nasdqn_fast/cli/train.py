"""``nasdqn-fast train``: one run, with its progress and its tables."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import click

from nasdqn_fast.cli.listeners import listener_options, listeners
from nasdqn_fast.cli.options import SectionedCommand, given, parse_plugin_options, setting_options
from nasdqn_fast.config import Config, resolve


@setting_options
@listener_options
@click.command(cls=SectionedCommand)
@click.option("--config", "file", type=click.Path(path_type=Path), help="TOML file with settings; options override it.")
@click.option("--out", type=click.Path(path_type=Path), help="Run directory.  [default: runs/METHOD-ENV-seedSEED]")
def command(
    file: Path | None, out: Path | None, tensorboard: Path | None, monitor: Path | None, **options: Any
) -> None:
    """Train one agent and write a run directory.

    docs/paper.md explains every setting, and says where its default comes from.
    """
    config = resolve(file, parse_plugin_options(file, given(options)))

    from nasdqn_fast.cli.display import display, screen
    from nasdqn_fast.cli.tables import show_run
    from nasdqn_fast.run import directory
    from nasdqn_fast.run.api import train

    others = listeners(config, tensorboard, monitor)
    console = screen()
    place = directory.numbered(default_out(config)) if out is None else contextlib.nullcontext(out)
    with place as out, display(console, config.run.episodes, config.agent.steps) as progress:
        result = train(config=config, out=out, progress=[progress, *others])
    show_run(console, result)


def default_out(config: Config) -> Path:
    """runs/METHOD-ENV-seedSEED; `directory.numbered` makes it, or the same with -2, -3, ..."""
    name = f"{config.search.method}-{config.env.name}-seed{config.run.seed}"
    # Names of third parties, as module:attribute, and Gymnasium's have characters that paths should not.
    return Path("runs", re.sub(r"[^\w.-]+", "-", name))
