cdef class Exclusive:
    cdef bint busy
    cdef str what
    cdef int enter(self) except -1
    cdef void leave(self) noexcept
    cdef int require_idle(self) except -1
