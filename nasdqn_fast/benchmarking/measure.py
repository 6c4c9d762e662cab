"""Times work on a machine that others use too.

The guest does not see its host: the same code flips, for seconds at a time, between two speeds half as far apart again,
because of a neighbour on the sibling hyperthread. So each repeat stands between two runs of one fixed piece of
arithmetic, its brackets. A repeat counts if neither bracket was slow and if nobody else had the processor meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Work = Callable[[], object]

SLOW = 1.1  # a bracket that takes this many times the fastest one's time is slow
MINE = 0.95  # of a repeat's wall time the process must have run
LEAST = 3  # repeats: as many are made, and kept, however little time there is and however busy the machine
REPEAT_SECONDS = 5e-3  # of one repeat: long against the clock's resolution, short against a slow spell


@dataclass(frozen=True)
class Repeat:
    """Work done once.

    Args:
        seconds: wall time.
        ran: share of it that the process had a processor.
        bracket: s, the slower one of its two brackets.
    """

    seconds: float
    ran: float
    bracket: float

    def disturbance(self, fastest: float) -> float:
        """How much it was disturbed, 1 being the most that is accepted.

        Args:
            fastest: s, the fastest of all brackets.
        """
        return max(self.bracket / (SLOW * fastest), MINE / max(self.ran, 1e-9))


class Stopwatch:
    """Times work between two brackets.

    Args:
        product: does a fixed piece of arithmetic and returns how many floating point operations that was.
        wall: clock that goes on whoever runs, s.
        cpu: clock that goes on while this process runs, in whichever thread, s.
    """

    def __init__(
        self,
        product: Callable[[], float],
        wall: Callable[[], float] = time.perf_counter,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self.product = product
        self.wall = wall
        self.cpu = cpu
        self._brackets: list[float] = []
        self._flop = 0.0

    @property
    def fastest(self) -> float:
        """s, the fastest bracket so far."""
        return min(self._brackets)

    @property
    def peak(self) -> float:
        """FLOP/s of the arithmetic in the brackets that were not slow, median."""
        return self._flop / float(np.median([b for b in self._brackets if b <= SLOW * self.fastest]))

    def time(self, work: Work) -> Repeat:
        """Does the work once."""
        before = self._bracket()
        wall, cpu = self.wall(), self.cpu()
        work()
        cpu, wall = self.cpu() - cpu, self.wall() - wall
        return Repeat(wall, cpu / wall, max(before, self._bracket()))

    def _bracket(self) -> float:
        start = self.wall()
        self._flop = self.product()
        self._brackets.append(self.wall() - start)
        return self._brackets[-1]


def calls_for(run: Callable[[int], object], stopwatch: Stopwatch, seconds: float = REPEAT_SECONDS) -> int:
    """How many calls make a repeat of about this length; `run(1)` has warmed up before."""
    calls = 1
    while True:
        start = stopwatch.wall()
        run(calls)
        taken = stopwatch.wall() - start
        if taken >= seconds / 2:
            return max(1, round(calls * seconds / taken))
        calls *= 2


def interleave(
    works: Sequence[Work], stopwatch: Stopwatch, seconds: float, prepare: Sequence[Work | None] | None = None
) -> list[list[Repeat]]:
    """Times several works in turn, forwards and backwards, so that what drifts meets all of them alike.

    Args:
        works: what to time.
        stopwatch: what with.
        seconds: when to stop, after `LEAST` rounds at the earliest.
        prepare: what to do before each repeat of a work, untimed.

    Returns:
        repeats [work][round]; those of one round belong together.
    """
    prepare = prepare or [None] * len(works)
    repeats: list[list[Repeat]] = [[] for _ in works]
    order = list(range(len(works)))
    end = stopwatch.wall() + seconds
    while len(repeats[0]) < LEAST or stopwatch.wall() < end:
        for i in order:
            if (first := prepare[i]) is not None:
                first()
            repeats[i].append(stopwatch.time(works[i]))
        order.reverse()
    return repeats


def disturbances(repeats: Sequence[Repeat], fastest: float) -> np.ndarray:
    """`Repeat.disturbance` of each, float64 (n,)."""
    return np.array([repeat.disturbance(fastest) for repeat in repeats])


def kept(disturbance: np.ndarray) -> np.ndarray:
    """Which repeats count, bool (n,): the undisturbed ones, else the `LEAST` that were disturbed least.

    Args:
        disturbance: float64 (n,), as `disturbances` gives it.
    """
    undisturbed = disturbance <= 1
    if np.count_nonzero(undisturbed) >= LEAST:
        return undisturbed
    least = np.zeros(len(disturbance), bool)
    least[np.argsort(disturbance, kind="stable")[:LEAST]] = True
    return least
