"""A figure: what was measured, how far it scatters, and what bounds it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np

from nasdqn_fast.statistics.bootstrap import Interval


class Unit(StrEnum):
    """What figures are given in."""

    NANOSECONDS = "ns"
    MICROSECONDS = "us"
    STEPS = "steps/s"
    RATIO = "x"
    SHARE = "%"
    MEGABYTES = "MB"

    @property
    def is_time(self) -> bool:
        return self in _PER_SECOND

    @property
    def is_rate(self) -> bool:
        return self is Unit.STEPS

    def of(self, seconds: np.ndarray) -> np.ndarray:
        """Seconds an item in this unit, which is one of time or a rate."""
        return 1 / seconds if self.is_rate else seconds * _PER_SECOND[self]


_PER_SECOND = {Unit.NANOSECONDS: 1e9, Unit.MICROSECONDS: 1e6}


@dataclass(frozen=True)
class Figure:
    """One row of the table.

    Args:
        group, name: which one; together unique in a report.
        unit: of all numbers here.
        value: the figure.
        low, high: 10th and 90th percentile of the repeats; of a ratio its 95 % interval.
        values: what was kept of the repeats.
        repeats: how many were made.
        disturbed: how many of them met a slow spell or another process.
        limit: what bounds the figure, measured in the same run; None if nothing simple does.
    """

    group: str
    name: str
    unit: Unit
    value: float
    low: float
    high: float
    values: tuple[float, ...] = ()
    repeats: int = 0
    disturbed: int = 0
    limit: float | None = None

    @classmethod
    def of(
        cls,
        group: str,
        name: str,
        unit: Unit,
        values: np.ndarray,
        *,
        interval: Interval | None = None,
        repeats: int,
        disturbed: int,
        limit: float | None = None,
    ) -> Self:
        """The median of the values, with their 10th and 90th percentile unless an interval is given."""
        low, high = np.quantile(values, [0.1, 0.9]) if interval is None else interval
        value, rest = float(np.median(values)), (float(low), float(high), tuple(values.tolist()))
        return cls(group, name, unit, value, *rest, repeats, disturbed, limit)

    @property
    def share(self) -> float | None:
        """Of the limit that was reached: 1 is as fast as can be."""
        if self.limit is None:
            return None
        return self.value / self.limit if self.unit.is_rate else self.limit / self.value
