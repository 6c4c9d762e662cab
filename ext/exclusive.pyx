"""Exclusive use of an object by one thread at a time, refused to others instead of waited for."""


cdef class Exclusive:
    """Base of objects whose memory C code writes to while other threads run.

    Compiled from end to end: Python code between `enter` and `leave` could be interrupted by Ctrl-C halfway. The GIL
    makes each of them atomic.

    Attributes:
        what: name of the object in the message.
    """

    cdef int enter(self) except -1:
        """Takes the object for this thread.

        Raises:
            RuntimeError: another thread has it.
        """
        self.require_idle()
        self.busy = True
        return 0

    cdef void leave(self) noexcept:
        self.busy = False

    cdef int require_idle(self) except -1:
        if self.busy:
            raise RuntimeError(f"the {self.what} is in use by another thread; give each thread its own {self.what}")
        return 0
