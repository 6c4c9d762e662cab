"""Reports and comparisons as text: a rich table on a terminal, plain columns elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nasdqn_fast.benchmarking.compare import ratios, remarks
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.report import Report

if TYPE_CHECKING:
    from rich.console import Console

FIGURES = ("group", "case", "figure", "unit", "10-90 %", "undisturbed", "limit", "share")
RATIOS = ("group", "case", "A", "B", "unit", "ratio", "95 % interval", "")
LEFT = {"group", "case", "unit", ""}  # columns of text; numbers stand to the right
INTERVALS_NOTE = "ratios (x): the range is a 95 % interval"
COMPARISON_NOTE = "ratio: how many times faster B is; of x, % and MB, B / A"


def show_report(console: Console, report: Report) -> None:
    """The machine, the figures, the warnings."""
    width = max(map(len, report.machine))
    for name, value in report.machine.items():
        console.print(f"{name.replace('_', ' '):{width}}  {value}", soft_wrap=True, markup=False, emoji=False)
    console.print(f"{'FMA peak':{width}}  {report.peak / 1e9:.1f} GFLOP/s, one core", soft_wrap=True)
    _show(console, FIGURES, [_figure_row(figure) for figure in report.figures])
    if any(figure.unit is Unit.RATIO for figure in report.figures):
        console.print(INTERVALS_NOTE, soft_wrap=True)
    _show_warnings(console, report.warnings)


def show_comparison(console: Console, a: Report, b: Report) -> None:
    """Ratios of the figures that both have."""
    rows = []
    for ratio in ratios(a, b):
        interval = "" if math.isnan(ratio.low) else f"{ratio.low:.3f}-{ratio.high:.3f}"
        values = text(ratio.a.value, ratio.a.unit), text(ratio.b.value, ratio.b.unit), ratio.a.unit.value
        rows.append((ratio.a.group, ratio.a.name, *values, f"{ratio.ratio:.3f}", interval, ratio.verdict))
    _show(console, RATIOS, rows)
    console.print(COMPARISON_NOTE, soft_wrap=True)
    _show_warnings(console, remarks(a, b))


def text(value: float, unit: Unit) -> str:
    """Three figures that count, or all before the point: 0.0123, 1.23, 123, 12,345. Ratios have three decimals."""
    if unit is Unit.RATIO:
        return f"{value:.3f}"
    if value == 0:
        return "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _figure_row(figure: Figure) -> tuple[str, ...]:
    value, low, high, *limit = (text(x, figure.unit) for x in _numbers(figure))
    return (
        figure.group,
        figure.name,
        value,
        figure.unit.value,
        "" if figure.low == figure.high else f"{low}-{high}",
        f"{figure.repeats - figure.disturbed}/{figure.repeats}" if figure.repeats else "",
        *(limit or [""]),
        "" if figure.share is None else f"{figure.share:.0%}",
    )


def _numbers(figure: Figure) -> list[float]:
    return [x for x in (figure.value, figure.low, figure.high, figure.limit) if x is not None]


def _show(console: Console, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if console.is_terminal:
        from rich.table import Column, Table
        from rich.text import Text

        columns = [Column(name, justify="left" if name in LEFT else "right") for name in header]
        table = Table(*columns)
        for row, after in zip(rows, [*rows[1:], None], strict=True):
            table.add_row(*map(Text, row), end_section=after is None or after[0] != row[0])
        console.print(table)
        return
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = zip(header, row, widths, strict=True)
        line = "  ".join(f"{cell:{'<' if name in LEFT else '>'}{width}}" for name, cell, width in cells)
        console.print(line.rstrip(), soft_wrap=True, markup=False, emoji=False)


def _show_warnings(console: Console, warnings: Sequence[str]) -> None:
    for warning in warnings:
        console.print(f"warning: {warning}", soft_wrap=True, markup=False, emoji=False)
