from nasdqn_fast._core.block cimport ParameterBlock
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport ndq_kernels, ndq_optimizer


cdef class OptimizerCore(Exclusive):
    cdef ndq_optimizer optimizer
    cdef readonly object settings
    cdef ParameterBlock m
    cdef ParameterBlock v
    cdef tuple restored
    cdef int follow(self, ParameterBlock parameters) except -1
    cdef int step(self, const ndq_kernels *kernels, ParameterBlock parameters, ParameterBlock gradient) except -1
