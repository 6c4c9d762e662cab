"""Which kernels are in use: the best this CPU has, or the one that NASDQN_FAST_CPU names."""

import os

from libc.stdint cimport int64_t
from nasdqn_fast._core.ndq cimport NDQ_MAX_TARGETS, ndq_available, ndq_kernels

cdef const ndq_kernels *_tables[3]
cdef int _n = ndq_available(_tables)
cdef const ndq_kernels *_current = _tables[_n - 1]


cdef const ndq_kernels *current_kernels() noexcept:
    return _current


def available() -> list[str]:
    """CPU targets that this build holds and this machine runs, slowest first."""
    return [_tables[i].name.decode() for i in range(_n)]


def current() -> str:
    """The CPU target that networks made from now on will use."""
    return _current.name.decode()


def select(target: str) -> None:
    """Makes networks created from now on use `target`; those that exist keep theirs.

    Raises:
        ValueError: not one of `available()`.
    """
    global _current
    for i in range(_n):
        if _tables[i].name.decode() == target:
            _current = _tables[i]
            return
    raise ValueError(f"{target!r} is not a CPU target of this machine; available: {', '.join(available())}")


def peak(n: int) -> int:
    """Runs n rounds of independent fused multiply-adds on the current target; returns the floating point operations.

    Timed, it gives the arithmetic limit of one core that benchmarks compare with.
    """
    cdef int64_t rounds = n
    cdef float result
    with nogil:
        rounds = _current.peak(rounds, &result)
    return rounds


_wanted = os.environ.get("NASDQN_FAST_CPU")
if _wanted:
    try:
        select(_wanted)
    except ValueError as error:
        raise ImportError(f"NASDQN_FAST_CPU={error}") from None
