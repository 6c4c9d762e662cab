from libc.stdint cimport int64_t


cdef class ParameterBlock:
    cdef readonly object array
    cdef readonly tuple sizes
    cdef readonly list weights
    cdef readonly list biases
    cdef list padding
    cdef readonly int64_t length
    cdef float *data
    cdef bint holds(self, ParameterBlock other)
    cdef int clear_padding(self) except -1
