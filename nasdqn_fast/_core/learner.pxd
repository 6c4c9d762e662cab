from libc.stdint cimport int64_t

from nasdqn_fast._core.block cimport ParameterBlock
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport ndq_learner
from nasdqn_fast._core.network cimport NetworkCore
from nasdqn_fast._core.optimizer cimport OptimizerCore
from nasdqn_fast._core.replay cimport ReplayCore
from nasdqn_fast._core.supernet cimport SupernetCore


cdef class LearnerCore(Exclusive):
    cdef ndq_learner learner
    cdef readonly ReplayCore replay
    cdef int64_t n_actions
    cdef NetworkCore network
    cdef NetworkCore target
    cdef OptimizerCore optimizer
    cdef ParameterBlock gradient
    cdef ParameterBlock cached_target
    cdef SupernetCore supernet
    cdef object _memory
    cdef LearnerCore first
    cdef int held
    cdef bint holds_supernet
    cdef void share_minibatch(self, LearnerCore first)
    cdef int acquire(self) except -1
    cdef void release(self) noexcept
