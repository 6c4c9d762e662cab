"""The class that owns an environment as the loop sees it."""

from libc.stdint cimport int32_t, int64_t
from nasdqn_fast._core.ndq cimport ndq_env, ndq_env_lockstep


cdef class EnvironmentCore:
    # Its pointers live as long as these: the parameters' array and the machine code.
    cdef ndq_env env
    cdef const double[::1] params
    cdef object compiled
    cdef readonly object environment
    # Compiled with the first batch; NULL until then, and where the step has to be called lane by lane.
    cdef ndq_env_lockstep lockstep
    cdef object lockstep_code
    cdef bint lockstep_tried
    cdef Py_ssize_t lanes
    cdef compile_lockstep(self)
    cdef run(
        self, states, actions, uniforms, observations, rewards, flags, Py_ssize_t n, Py_ssize_t steps
    )
    cdef void advance(
        self, Py_ssize_t n, const double *uniforms, double *states, const int64_t *actions, float *obs,
        double *rewards, int32_t *flags,
    ) noexcept nogil
