from ndq cimport ndq_kernels


cdef const ndq_kernels *current_kernels() noexcept
