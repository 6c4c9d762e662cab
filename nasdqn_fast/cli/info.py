"""``nasdqn-fast info``: what this installation consists of."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """Print versions, CPU targets and the cache directory."""
    from nasdqn_fast._core import cpu
    from nasdqn_fast.run.provenance import build_facts

    rows = build_facts() | {
        "cpu_targets_available": ", ".join(cpu.available()),
        "cache_directory": _cache_directory(),
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        click.echo(f"{name.replace('_', ' '):{width}}  {value}")


def _cache_directory() -> str:
    from nasdqn_fast.storage import cache

    try:
        return str(cache.directory())
    except OSError as error:
        return f"none: {error.strerror}; set NASDQN_FAST_CACHE_DIR"
