from libc.stdint cimport int64_t
from numpy.random cimport bitgen_t

from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport ndq_replay
from nasdqn_fast._core.sum_tree cimport SumTree


cdef class ReplayCore(Exclusive):
    cdef ndq_replay replay
    cdef readonly object rng
    cdef object _rows
    cdef object _lock
    cdef object _last
    cdef object _last_prioritized
    cdef SumTree _tree
    cdef bitgen_t *bitgen
    cdef bint _is_plain(self, array) noexcept
    cdef void _use_tree(self, SumTree tree) noexcept
    cdef int _require_priorities(self) except -1
    cdef _follow(self, destination, int64_t n_step, double gamma)
