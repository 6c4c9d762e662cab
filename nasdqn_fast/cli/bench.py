"""``nasdqn-fast bench``: how fast the parts are here, and two such reports compared."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--group", "groups", multiple=True, help="Measure this group only; repeatable.  [default: the quick ones]"
)
@click.option(
    "--seconds", type=click.FloatRange(min=0, max=86_400), default=5.0, show_default=True, help="Time for measuring."
)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the report to this file, too.")
@click.option("--peers/--no-peers", help="Measure other libraries, too; needs the source tree.  [default: no]")
@click.option("--peer", "names", multiple=True, help="Of the other libraries, measure this one only; repeatable.")
@click.option("--cpu", "cpu_target", help="CPU target.  [default: NASDQN_FAST_CPU, or the best]")
@click.option(
    "--compare",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="A.json B.json",
    help="Compare two reports instead of measuring.",
)
def command(
    groups: tuple[str, ...],
    seconds: float,
    file: Path | None,
    peers: bool,
    names: tuple[str, ...],
    cpu_target: str | None,
    compare: tuple[Path, Path] | None,
) -> None:
    """Measure how fast each part is, beside its limit.

    Everything runs on one core and in one thread. docs/benchmarks.md explains each figure.
    """
    if compare and (groups or file or peers or names or cpu_target):
        raise click.UsageError("--compare measures nothing: it takes no other option")

    from nasdqn_fast.benchmarking import report, suite, tables
    from nasdqn_fast.cli.display import screen
    from nasdqn_fast.validation import check_path

    console, file = screen(), file and check_path("--json", file)
    if compare:
        tables.show_comparison(console, *(report.load(check_path("--compare", path)) for path in compare))
        return
    request = suite.Request(groups, seconds, cpu_target, names if peers or names else None)
    if file:
        report.check_writable(file)
    result = suite.run_apart(request)
    tables.show_report(console, result)
    if file:
        report.save(file, result)
