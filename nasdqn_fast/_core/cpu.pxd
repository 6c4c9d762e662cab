from nasdqn_fast._core.ndq cimport ndq_kernels


cdef const ndq_kernels *current_kernels() except NULL
