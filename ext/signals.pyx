"""Signals that set the stop tokens of whatever is running, in every thread."""

from libc.stdint cimport int64_t
from nasdqn_fast._core.ndq cimport ndq_stop
from nasdqn_fast._core.stop_token cimport StopToken


cdef extern from "signals/handler.h" nogil:
    enum:
        NDQ_MAX_WATCHED
    void ndq_signals_install()
    int ndq_signals_add(ndq_stop *stop, int every)
    void ndq_signals_remove(int slot)
    int64_t ndq_signals_last()
    int64_t ndq_signals_now()


def install():
    """Puts the handler in front of the present ones, as `signal.signal` has just put another in its place."""
    ndq_signals_install()


def seconds_since_last():
    """Seconds since SIGINT, SIGTERM or SIGHUP came; infinite if none has, or none that was watched for."""
    cdef int64_t last = ndq_signals_last()
    return (ndq_signals_now() - last) * 1e-9 if last else float("inf")


cdef class Watch:
    """In its block, SIGINT, SIGTERM and SIGHUP set a token; then the handler is called that was there before.

    A signal that is ignored, or ends the process at once, does so still and sets nothing.

    Args:
        token: a StopToken; its reason is then the signal's number.
        every: other signals that Python may have a handler for (SIGALRM, SIGUSR1, ...) set it, too.

    Raises:
        RuntimeError: too many tokens are being watched already.
    """

    cdef readonly StopToken token
    cdef bint every
    cdef int slot

    def __cinit__(self, StopToken token not None, bint every=False):
        self.token, self.every, self.slot = token, every, -1

    def __enter__(self):
        if self.slot >= 0:
            raise RuntimeError("the block has begun already; make another Watch")
        ndq_signals_install()
        self.slot = ndq_signals_add(self.token.flag, self.every)
        if self.slot < 0:
            raise RuntimeError(f"signals can stop {NDQ_MAX_WATCHED} runs of a process at a time; start fewer")
        return self.token

    def __exit__(self, *error):
        self._remove()

    def __dealloc__(self):
        self._remove()

    cdef void _remove(self) noexcept:
        if self.slot >= 0:
            ndq_signals_remove(self.slot)
            self.slot = -1
