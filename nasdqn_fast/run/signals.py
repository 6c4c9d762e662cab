"""SIGINT, SIGTERM and SIGHUP while a run goes on: the engine stops, the run is saved, then the signal is answered.

A compiled handler (`nasdqn_fast._core.signals`) sets the run's stop token, in whichever thread the run is. Python calls
its own handlers in the main thread; for a run in that thread they are deferred until the run is whole.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

from nasdqn_fast._core import signals as core
from nasdqn_fast._core.stop_token import StopToken

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 1.0  # s after which a second signal is delivered at once: what it interrupts must be stuck
QUEUE = 1.0  # s within which a run that begins after a stop in the same thread must have been waiting for it

Handler = Callable[[int, FrameType | None], object]


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP was received; it is handled like Ctrl-C.

    Attributes:
        number: the signal's.
    """

    def __init__(self, message: str = "", number: int = signal.SIGTERM) -> None:
        super().__init__(*[message] if message else [])
        self.number = number


class DeferredSignals:
    """Python's handlers of the signals, which are called by `deliver` and not on receipt.

    Attributes:
        forced: a second signal was delivered at once, wherever the run was.
    """

    def __init__(self) -> None:
        self.forced = False
        self._handlers: dict[int, Handler] = {}
        self._received: tuple[int, FrameType | None] | None = None
        self._since = 0.0

    def install(self) -> None:
        """Takes the place of the handlers in Python; a signal that is ignored or ends the process is left alone."""
        for number in SIGNALS:
            if callable(handler := signal.getsignal(number)):
                self._handlers[number] = handler
                signal.signal(number, self._receive)
        core.install()  # in front of what `signal.signal` has just put in its place

    def restore(self) -> None:
        """Gives the handlers their places back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        core.install()  # for runs in other threads

    def _receive(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if _deferred is not self:  # before the block begins, or after its end
            self._handlers[number](number, frame)
        elif self._received is None:
            self._received, self._since = (number, frame), now
        elif now - self._since > PATIENCE:
            self.forced = True
            self.deliver()

    def deliver(self) -> None:
        """Calls the handler of the signal that was received, if one was; most raise."""
        if self._received is not None:
            (number, frame), self._received = self._received, None
            self._handlers[number](number, frame)

    def discard(self) -> None:
        """Forgets a signal that was received."""
        self._received = None


_deferred: DeferredSignals | None = None  # of the run in the main thread
_terminated: int | None = None  # signal whose exception may have been swallowed, as callbacks of ctypes do
_thread = threading.local()  # started, ended: of the last run in this thread


class RunSignals:
    """What stops one run.

    Args:
        token: set by signals.
    """

    def __init__(self, token: StopToken) -> None:
        self.token = token
        self._deferred: DeferredSignals | None = None

    @property
    def forced(self) -> bool:
        """Whether a signal was delivered at once, wherever the run was: its state may not be whole."""
        return self._deferred is not None and self._deferred.forced

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """Defers Python's handlers in the block, in the main thread, unless a block around it does so already."""
        global _deferred
        if not _in_main_thread() or _deferred is not None:
            yield
            return
        if _terminated is not None:
            raise Terminated(number=_terminated)
        mine = self._deferred = DeferredSignals()
        try:
            mine.install()
            _deferred = mine
            yield
        except KeyboardInterrupt:
            mine.discard()  # the exception that leaves the block says more
            raise
        finally:
            _deferred = None
            mine.restore()
            mine.deliver()

    def check(self) -> None:
        """Answers a signal, from a point where the run is whole: by its handler in the main thread.

        Raises:
            KeyboardInterrupt: a signal came, and the run is in another thread.
        """
        number, in_main_thread = self.token.reason, _in_main_thread()
        if not in_main_thread:
            core.install()  # the main thread may have changed the handlers, as a notebook does with each cell
        if not number:
            return
        if in_main_thread:
            self.token.clear()
            if _deferred is not None:
                _deferred.deliver()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        else:
            raise Terminated(number=number)


@contextlib.contextmanager
def watched() -> Iterator[RunSignals]:
    """Lets signals stop the run of the block, in whichever thread it is.

    Raises:
        KeyboardInterrupt: a signal has just ended the run before it in this thread, which is a pool's: those that the
            pool still has in its queue do not start.
    """
    _check_queue()
    _thread.started = time.monotonic()
    token = StopToken()
    with core.Watch(token, every=_in_main_thread()):
        try:
            yield RunSignals(token)
        finally:
            _thread.ended = time.monotonic()


def _check_queue() -> None:
    """Refuses a run that a pool starts because a signal has ended the one before.

    A pool whose work is interrupted goes through its queue before it ends. What tells such a run from one that is
    started on purpose later: it is in another thread than the main one, that thread had a run before, a signal has
    come since that began, and no second has passed since it ended, or since the last such run was refused.
    """
    if _in_main_thread() or not hasattr(_thread, "ended"):
        return
    now, since_signal = time.monotonic(), core.seconds_since_last()
    if now - since_signal >= _thread.started and min(now - _thread.ended, since_signal) < QUEUE:
        _thread.ended = now
        raise KeyboardInterrupt("not started: a signal has ended the run before it in this thread")


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP exceptions in the block, in the main thread, where nothing else handles them.

    Raises:
        Terminated: one of them came.
    """
    global _terminated
    ours = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    if not _in_main_thread():
        yield
        return
    for number in ours:
        signal.signal(number, _terminate)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
        _terminated = None


def with_message(interrupt: KeyboardInterrupt, message: str) -> KeyboardInterrupt:
    """An exception for the same signal, with this message."""
    if isinstance(interrupt, Terminated):
        return Terminated(message, interrupt.number)
    return KeyboardInterrupt(message)


def _terminate(number: int, frame: FrameType | None) -> None:
    global _terminated
    _terminated = number
    raise Terminated(number=number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
