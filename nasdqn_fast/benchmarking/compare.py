"""Two reports side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nasdqn_fast.benchmarking import intervals
from nasdqn_fast.benchmarking.figure import Figure
from nasdqn_fast.benchmarking.report import Report

SAME_MACHINE = ("processor", "cpu_target", "platform")


@dataclass(frozen=True)
class Ratio:
    """A figure of two reports.

    Args:
        a, b: the figures.
        ratio: how many times faster B is; of what is neither a time nor a rate, B's value over A's.
        low, high: its 95 % interval; NaN where only one value was kept of either.
    """

    a: Figure
    b: Figure
    ratio: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """``faster`` or ``slower`` where the interval leaves no doubt, else nothing."""
        if not (self.a.unit.is_time or self.a.unit.is_rate):
            return ""
        return "faster" if self.low > 1 else "slower" if self.high < 1 else ""


def ratios(a: Report, b: Report) -> list[Ratio]:
    """Of the figures that both reports have, in the order of A."""
    others = {(figure.group, figure.name): figure for figure in b.figures}
    keys = [(figure.group, figure.name) for figure in a.figures]
    return [_ratio(figure, others[key]) for figure, key in zip(a.figures, keys, strict=True) if key in others]


def remarks(a: Report, b: Report) -> list[str]:
    """What limits the comparison: figures of one report only, different machines, what each report warns of."""
    lines = [
        f"{name.replace('_', ' ')} differs: {a.machine.get(name)} and {b.machine.get(name)}"
        for name in SAME_MACHINE
        if a.machine.get(name) != b.machine.get(name)
    ]
    names = [{f"{figure.group}: {figure.name}" for figure in report.figures} for report in (a, b)]
    lines += [f"only in A: {name}" for name in sorted(names[0] - names[1])]
    lines += [f"only in B: {name}" for name in sorted(names[1] - names[0])]
    return lines + [f"A: {warning}" for warning in a.warnings] + [f"B: {warning}" for warning in b.warnings]


def _ratio(a: Figure, b: Figure) -> Ratio:
    top, bottom = (a, b) if a.unit.is_time else (b, a)
    low, high = np.nan, np.nan
    if min(len(a.values), len(b.values)) > 1:
        low, high = intervals.ratio_of_medians(np.array(top.values), np.array(bottom.values))
    return Ratio(a, b, top.value / bottom.value if bottom.value else np.nan, low, high)
