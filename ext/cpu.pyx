"""Which kernels are in use: the best this CPU has, or the one that NASDQN_FAST_CPU names."""

import os

from libc.stdint cimport int64_t
from nasdqn_fast._core.ndq cimport NDQ_MAX_TARGETS, ndq_available, ndq_kernels

from nasdqn_fast.errors import InputError

cdef const ndq_kernels *_tables[3]
cdef int _n = ndq_available(_tables)
cdef const ndq_kernels *_current = NULL


cdef const ndq_kernels *current_kernels() except NULL:
    # Not at import: a wrong name in the environment is then an error that can be caught and shown in one line.
    if _current == NULL:
        wanted = os.environ.get("NASDQN_FAST_CPU")
        try:
            select(wanted or available()[-1])
        except ValueError as error:
            raise InputError(f"environment variable NASDQN_FAST_CPU: {error}") from None
    return _current


def available() -> list[str]:
    """CPU targets that this build holds and this machine runs, slowest first."""
    return [_tables[i].name.decode() for i in range(_n)]


def current() -> str:
    """The CPU target that networks made from now on will use.

    Raises:
        InputError: the environment variable NASDQN_FAST_CPU names none of `available()`.
    """
    return current_kernels().name.decode()


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
    cdef const ndq_kernels *kernels = current_kernels()
    cdef int64_t rounds = n
    cdef float result
    with nogil:
        rounds = kernels.peak(rounds, &result)
    return rounds
