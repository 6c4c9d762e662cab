"""Signals that ask a run to stop: held back until it can be left whole."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 1.0  # s after which a second signal is let through at once: what it interrupts must be stuck

Handler = Callable[[int, FrameType | None], object]


class Terminated(KeyboardInterrupt):
    """SIGTERM, where `terminable` makes an exception of it; whatever winds up after Ctrl-C does so after this, too."""


class Holding:
    """The signals held in a block, and what came of them.

    Attributes:
        impatient: a second signal was let through, wherever the block was.
    """

    def __init__(self) -> None:
        self.handlers: dict[int, Handler] = {}
        self.came: tuple[int, FrameType | None] | None = None
        self.impatient = False
        self._since = 0.0

    def take(self, number: int, frame: FrameType | None) -> None:
        """The handler while they are held."""
        now = time.monotonic()
        if _held is not self:  # the block has just ended, or is about to begin
            self.handlers[number](number, frame)
        elif self.came is None:
            self.came, self._since = (number, frame), now
        elif now - self._since > PATIENCE:
            self.impatient = True
            self.hand_on()

    def hand_on(self) -> None:
        """Gives the one that came, if any, to the handler that it would have met."""
        if self.came is not None:
            came, self.came = self.came, None
            self.handlers[came[0]](*came)


_held: Holding | None = None
_terminated = False  # SIGTERM came, and somebody may have swallowed the exception, as callbacks of ctypes do


@contextlib.contextmanager
def held() -> Iterator[Holding]:
    """Holds SIGINT and SIGTERM back until the block has ended or calls `check`, then hands one on to its handler.

    What has no handler in Python is left alone: a signal that is ignored, or ends the process. In other threads
    than the main one, which Python does not interrupt, and in a block that is held already this does nothing.
    """
    global _held
    mine = Holding()
    if threading.current_thread() is not threading.main_thread() or _held is not None:
        yield mine
        return
    if _terminated:
        raise Terminated
    try:
        for number in SIGNALS:
            if callable(handler := signal.getsignal(number)):
                mine.handlers[number] = handler
                signal.signal(number, mine.take)
        _held = mine
        yield mine
    except KeyboardInterrupt:
        mine.came = None  # the one that leaves the block says more
        raise
    finally:
        _held = None
        for signum, before in mine.handlers.items():
            signal.signal(signum, before)
        mine.hand_on()


def check() -> None:
    """Hands on a signal that is being held, from a point where the run is whole; most handlers raise then."""
    if _held is not None and threading.current_thread() is threading.main_thread():
        _held.hand_on()


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Makes SIGTERM an exception in the block, where the main thread runs it and nobody else handles the signal.

    Raises:
        Terminated: the signal came.
    """
    global _terminated
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _terminated = False


def _terminate(number: int, frame: FrameType | None) -> None:
    global _terminated
    _terminated = True
    raise Terminated
