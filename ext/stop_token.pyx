"""A flag that asks loops to stop, which any thread may set."""

from libc.stdlib cimport calloc, free
from nasdqn_fast._core.ndq cimport ndq_stop, ndq_stop_reason, ndq_stop_set


cdef class StopToken:
    """Passed to `run_episodes`, stops it as soon as it is set: between two steps, or two updates of a step.

    Attributes:
        reason: 0 until it is set.
    """

    def __cinit__(self):
        # In memory of its own: Cython would zero a member by assignment, which an atomic in it forbids.
        self.flag = <ndq_stop *>calloc(1, sizeof(ndq_stop))
        if self.flag == NULL:
            raise MemoryError()

    def __dealloc__(self):
        free(self.flag)

    def __reduce__(self):
        """A copy is a token of its own, not set: one process cannot stop another by it."""
        return type(self), ()

    def set(self, int reason=-1):
        """Asks to stop; a reason > 0 is the number of a signal."""
        if reason == 0:
            raise ValueError("reason must not be 0, which says to continue; call clear()")
        ndq_stop_set(self.flag, reason)

    def clear(self):
        """Lets loops run again."""
        ndq_stop_set(self.flag, 0)

    @property
    def reason(self):
        """Why to stop: 0 not at all, > 0 the number of a signal, else what `set` was given."""
        return ndq_stop_reason(self.flag)
