from libc.stdint cimport int64_t

from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.learner cimport LearnerCore
from nasdqn_fast._core.ndq cimport ndq_population
from nasdqn_fast._core.replay cimport ReplayCore


cdef class PopulationCore(Exclusive):
    cdef ndq_population population
    cdef readonly tuple learners
    cdef readonly ReplayCore replay
    cdef object _memory
    cdef int held
    cdef int acquire(self) except -1
    cdef void release(self) noexcept
