from nasdqn_fast._core.ndq cimport ndq_batch


cdef class BatchArrays:
    cdef readonly object batch
    cdef ndq_batch at
    cdef list arrays
