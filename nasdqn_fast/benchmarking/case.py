"""What is timed, and against which limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nasdqn_fast.benchmarking.figure import Unit

# (FLOP/s of the arithmetic limit, case name -> median seconds an item) -> the least seconds an item can take.
Limit = Callable[[float, Mapping[str, float]], float]


@dataclass(frozen=True)
class Case:
    """Something to time.

    Args:
        name: row of the table, unique in its group.
        unit: what its figure is given in.
        run: does it n times.
        items: how many of what the figure counts one call does.
        calls: calls of a repeat; None takes as many as make it long enough.
        prepare: what to do before each repeat, untimed.
        limit: what bounds it; None if nothing simple does.
    """

    name: str
    unit: Unit
    run: Callable[[int], object]
    items: int = 1
    calls: int | None = None
    prepare: Callable[[], object] | None = None
    limit: Limit | None = None


def repeated(call: Callable[[], object]) -> Callable[[int], None]:
    """The `run` of a case that makes one Python call after the other."""

    def run(n: int) -> None:
        for _ in range(n):
            call()

    return run


def arithmetic(flop: float) -> Limit:
    """An item takes that many floating point operations, at best at the peak of the same run."""
    return lambda peak, _: flop / peak


def times(n: float, case: str) -> Limit:
    """An item takes at least n items of another case of the same group."""
    return lambda _, seconds: n * seconds[case]
