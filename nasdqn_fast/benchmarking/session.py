"""Cases timed in turn, and the figures that come of it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nasdqn_fast.benchmarking import intervals
from nasdqn_fast.benchmarking.case import Case
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.measure import Repeat, Stopwatch, calls_for, disturbances, interleave, kept


@dataclass(frozen=True)
class Timing:
    """A case and its repeats.

    Args:
        case: what was timed.
        calls: calls of one repeat.
        repeats: in the order of the rounds.
    """

    case: Case
    calls: int
    repeats: Sequence[Repeat]

    @property
    def seconds(self) -> np.ndarray:
        """Of an item, float64 (rounds,)."""
        return np.array([repeat.seconds for repeat in self.repeats]) / (self.calls * self.case.items)


@dataclass
class Session:
    """What the groups share.

    Args:
        stopwatch: one for all, so that every repeat is judged by the fastest bracket of the whole run.
        seconds: time to spend on one group, apart from its preparations.
        warnings: what to tell beside the figures.
        facts: what to tell of the machine besides.
        peers: the other libraries to show beside ours, none of them named meaning all; None shows none.
    """

    stopwatch: Stopwatch
    seconds: float
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    peers: tuple[str, ...] | None = None

    def measure(self, group: str, cases: Sequence[Case]) -> list[Figure]:
        """Times the cases in turn and makes a figure of each."""
        return self.figures(group, self.time(cases))

    def time(self, cases: Sequence[Case]) -> list[Timing]:
        """Times the cases in turn."""
        calls = [self._warm_up(case) for case in cases]
        works = [functools.partial(case.run, n) for case, n in zip(cases, calls, strict=True)]
        repeats = interleave(works, self.stopwatch, self.seconds, [case.prepare for case in cases])
        return [Timing(*timing) for timing in zip(cases, calls, repeats, strict=True)]

    def figures(self, group: str, timings: Sequence[Timing]) -> list[Figure]:
        """The figures of the repeats that count, with their limits."""
        judged = [disturbances(timing.repeats, self.stopwatch.fastest) for timing in timings]
        seconds = [timing.seconds[kept(judgement)] for timing, judgement in zip(timings, judged, strict=True)]
        medians = {timing.case.name: float(np.median(s)) for timing, s in zip(timings, seconds, strict=True)}
        return [
            Figure.of(
                group,
                timing.case.name,
                timing.case.unit,
                timing.case.unit.of(s),
                repeats=len(judgement),
                disturbed=int(np.count_nonzero(judgement > 1)),
                limit=self._limit(timing.case, medians),
            )
            for timing, judgement, s in zip(timings, judged, seconds, strict=True)
        ]

    def ratio(self, group: str, name: str, first: Timing, second: Timing) -> Figure:
        """How many times faster the first of two is, round by round."""
        judged = np.maximum(*(disturbances(timing.repeats, self.stopwatch.fastest) for timing in (first, second)))
        ratios = (second.seconds / first.seconds)[kept(judged)]
        return Figure.of(
            group,
            name,
            Unit.RATIO,
            ratios,
            interval=intervals.median(ratios),
            repeats=len(judged),
            disturbed=int(np.count_nonzero(judged > 1)),
        )

    def _warm_up(self, case: Case) -> int:
        if case.prepare is not None:
            case.prepare()
        case.run(1)
        return case.calls or calls_for(case.run, self.stopwatch)

    def _limit(self, case: Case, medians: dict[str, float]) -> float | None:
        if case.limit is None:
            return None
        return float(case.unit.of(np.array(case.limit(self.stopwatch.peak, medians))))
