from numpy.random cimport bitgen_t

from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport ndq_replay


cdef class ReplayCore(Exclusive):
    cdef ndq_replay replay
    cdef readonly object rng
    cdef object _rows
    cdef object _lock
    cdef object _last
    cdef bitgen_t *bitgen
    cdef bint _is_plain(self, array) noexcept
