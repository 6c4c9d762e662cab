"""``nasdqn-fast list``: what there is to choose from, and what one plug-in can be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from nasdqn_fast import envs, plugins
from nasdqn_fast.config import PROFILES, all_methods
from nasdqn_fast.envs import EnvKernel
from nasdqn_fast.options import options_class, options_of

TOPICS: dict[str, Callable[[], dict[str, str]]] = {
    "methods": lambda: {name: method.summary for name, method in all_methods().items()},
    **{kind: lambda kind=kind: plugins.describe(kind) for kind in plugins.KINDS},  # type: ignore[misc]
    "profiles": lambda: {name: profile.summary for name, profile in PROFILES.items()},
}
_WORDS = f"{', '.join(list(TOPICS)[:-1])} or {list(TOPICS)[-1]}"


@click.command(
    short_help=f"List {_WORDS}.", help=f"List what there is; TOPIC is {_WORDS}. With NAME, describe one plug-in."
)
@click.argument("topic", type=click.Choice(list(TOPICS)), metavar="TOPIC")
@click.argument("name", required=False)
def command(topic: str, name: str | None) -> None:
    if name is None:
        _table(TOPICS[topic]())
    elif topic not in plugins.KINDS:
        raise click.UsageError(f"only {', '.join(plugins.KINDS)} have pages of their own")
    else:
        _page(topic, name)


def _page(kind: str, name: str) -> None:
    """The docstring of a plug-in, and its options or parameters."""
    if kind == "environments":
        kernel = envs.make_compiled(name).kernel
        click.echo(plugins.docstring(kind, name))
        _show_kernel(kernel)
        return
    plugin: Any = plugins.find(kind, name)
    click.echo(plugins.docstring(kind, name))
    options = options_of(options_class(plugin))
    click.echo("\nOptions:" if options else "\nNo options.")
    for about in options:
        or_none = ", or none" if about.optional else ""
        click.echo(f"  {about.name}  {about.help}")
        click.echo(f"    {about.values}{or_none} [default: {about.shown}; {about.source}]")


def _show_kernel(kernel: EnvKernel) -> None:
    """Parameters, starts and time limit of an environment."""
    click.echo("\nParameters (--env-param NAME=VALUE):")
    for name, value in kernel.params.items():
        click.echo(f"  {name}  a finite number{' > 0' if name in kernel.positive else ''} [default: {value:g}]")
    if kernel.starts:
        click.echo(f"\nStarts (--start NAME), the first is the default: {', '.join(kernel.starts)}")
    click.echo(f"\nSteps until an episode is truncated: {kernel.max_episode_steps}")


def _table(entries: dict[str, str]) -> None:
    width = max(map(len, entries))
    for name, summary in entries.items():
        click.echo(f"{name:{width}}  {summary}")
