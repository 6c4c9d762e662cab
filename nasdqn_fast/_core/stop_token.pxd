from nasdqn_fast._core.ndq cimport ndq_stop


cdef class StopToken:
    cdef ndq_stop *flag
