"""``nasdqn-fast report``: a study as a page, figures and tables."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Write a study's verdicts, figures and tables as a page.")
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--figure", "figures", multiple=True, help="Draw only this figure, without the page; repeatable.")
@click.option(
    "--beside",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Show this study's search overhead, too, below claim C5; repeatable.",
)
def command(study: Path, figures: tuple[str, ...], beside: tuple[Path, ...]) -> None:
    """Write STUDY/report.html: verdicts on the paper's claims, figures and tables.

    STUDY is a folder written by `nasdqn-fast experiment`. docs/report.md explains each figure and number.
    """
    from nasdqn_fast.cli.output import say
    from nasdqn_fast.report.page import report

    click.echo(report(study, figures=figures, beside=beside, show=say))
