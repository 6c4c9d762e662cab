from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport ndq_supernet
from nasdqn_fast._core.network cimport NetworkCore


cdef class SupernetCore(Exclusive):
    cdef ndq_supernet supernet
    cdef readonly NetworkCore shared
    cdef readonly tuple paths
    cdef tuple _gradients
    cdef object _memory
