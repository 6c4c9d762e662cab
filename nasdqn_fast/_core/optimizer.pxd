from nasdqn_fast._core.block cimport ParameterBlock
from nasdqn_fast._core.ndq cimport ndq_kernels, ndq_optimizer


cdef class OptimizerCore:
    cdef ndq_optimizer optimizer
    cdef readonly object settings
    cdef ParameterBlock m
    cdef ParameterBlock v
    cdef tuple restored
    cdef bint busy
    cdef int enter(self) except -1
    cdef void leave(self) noexcept
    cdef int follow(self, ParameterBlock parameters) except -1
    cdef int step(self, const ndq_kernels *kernels, ParameterBlock parameters, ParameterBlock gradient) except -1
