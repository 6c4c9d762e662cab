from nasdqn_fast._core.block cimport ParameterBlock
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport ndq_net
from nasdqn_fast._core.normalizer cimport NormalizerCore


cdef class NetworkCore(Exclusive):
    cdef ndq_net net
    cdef readonly ParameterBlock block
    cdef readonly str cpu_target
    cdef readonly NormalizerCore normalizer_core
    cdef object _plan
    cdef object _memory
    cdef readonly tuple _base
    cdef object _table
