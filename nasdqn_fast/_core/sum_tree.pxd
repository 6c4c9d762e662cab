from libc.stdint cimport int64_t

from nasdqn_fast._core.ndq cimport ndq_sum_tree


cdef class SumTree:
    cdef ndq_sum_tree tree
    cdef int64_t n
    cdef object _nodes
