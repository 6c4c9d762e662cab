"""The class that owns the environments in Python of one loop."""

from libc.stdint cimport int32_t, int64_t
from nasdqn_fast._core.ndq cimport ndq_env


cdef class PythonLanes:
    cdef ndq_env env
    cdef readonly object environment
    cdef readonly object play
    cdef readonly object error
    cdef list steps
    cdef list actions
    cdef bint is_one_hot
    cdef bint is_vector
    cdef int64_t first_observation
    cdef int64_t n
    cdef int reset(self, int32_t *begins, const double *uniforms, float *observations) except -1
    cdef int reset_rows(self, int32_t *begins, const double *uniforms, float *observations) except -1
    cdef int step(self, const int64_t *actions, float *observations, double *rewards, int32_t *flags) except -1
    cdef int step_rows(self, const int64_t *actions, float *observations, double *rewards, int32_t *flags) except -1
    cdef int write(self, object observation, float *to) except -1
