"""The class that owns an environment as the loop sees it."""

from nasdqn_fast._core.ndq cimport ndq_env


cdef class EnvironmentCore:
    # Its pointers live as long as these: the parameters' array and the machine code.
    cdef ndq_env env
    cdef const double[::1] params
    cdef object compiled
    cdef readonly object environment
    # Compiled with the first batch; None until then, and where the step has to be called lane by lane.
    cdef object lockstep_code
    cdef bint lockstep_tried
    cdef compile_lockstep(self)
    cdef run(
        self, states, actions, uniforms, observations, rewards, flags, Py_ssize_t n, Py_ssize_t steps
    )
