"""``nasdqn-fast list``: what there is to choose from."""

from __future__ import annotations

from collections.abc import Callable

import click

from nasdqn_fast import plugins
from nasdqn_fast.config import PROFILES, all_methods

TOPICS: dict[str, Callable[[], dict[str, str]]] = {
    "methods": lambda: {name: method.summary for name, method in all_methods().items()},
    "environments": lambda: plugins.describe("environments"),
    "controllers": lambda: plugins.describe("controllers"),
    "transfers": lambda: plugins.describe("transfers"),
    "estimators": lambda: plugins.describe("estimators"),
    "profiles": lambda: {name: profile.summary for name, profile in PROFILES.items()},
}


@click.command(short_help="List methods, environments, controllers, transfers, estimators or profiles.")
@click.argument("topic", type=click.Choice(list(TOPICS)), metavar="TOPIC")
def command(topic: str) -> None:
    """List what there is; TOPIC is methods, environments, controllers, transfers, estimators or profiles."""
    entries = TOPICS[topic]()
    width = max(map(len, entries))
    for name, summary in entries.items():
        click.echo(f"{name:{width}}  {summary}")
