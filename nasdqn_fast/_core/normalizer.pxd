from nasdqn_fast._core.ndq cimport ndq_normalizer


cdef class NormalizerCore:
    cdef ndq_normalizer normalizer
    cdef object _statistics
    cdef object _applied
