"""The class that owns an environment as the loop sees it."""

from nasdqn_fast._core.ndq cimport ndq_env


cdef class EnvironmentCore:
    # Its pointers live as long as these: the parameters' array and the machine code.
    cdef ndq_env env
    cdef const double[::1] params
    cdef object compiled
    cdef readonly object environment
