"""``nasdqn-fast report``: a study as a page, figures and tables."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--figure", "figures", multiple=True, help="Draw this figure anew, without the page; repeatable.")
@click.option(
    "--beside",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Another study, as of another profile, whose search overhead is shown below claim C5; repeatable.",
)
def command(study: Path, figures: tuple[str, ...], beside: tuple[Path, ...]) -> None:
    """Write STUDY/report.html, the verdict on each of the paper's claims first, and its figures and tables.

    STUDY is what `nasdqn-fast experiment` has written; docs/report.md says what each figure and number is.
    """
    from nasdqn_fast.cli.output import say
    from nasdqn_fast.report.page import report

    click.echo(report(study, figures=figures, beside=beside, show=say))
