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


class _Held:
    """The signals held in this process, and what came of them."""

    def __init__(self, handlers: dict[signal.Signals, Handler]) -> None:
        self.handlers = handlers
        self.came: tuple[int, FrameType | None] | None = None
        self.since = 0.0

    def take(self, number: int, frame: FrameType | None) -> None:
        """The handler while they are held."""
        now = time.monotonic()
        if self.came is None:
            self.came, self.since = (number, frame), now
        elif now - self.since > PATIENCE:
            self.hand_on()

    def hand_on(self) -> None:
        """Gives the one that came, if any, to the handler that it would have met."""
        if self.came is not None:
            came, self.came = self.came, None
            self.handlers[signal.Signals(came[0])](*came)


_held: _Held | None = None


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Holds SIGINT and SIGTERM back until the block has ended or calls `check`, then hands one on to its handler.

    What has no handler in Python is left alone: a signal that is ignored, or ends the process. In other threads
    than the main one, which Python does not interrupt, and in a block that is held already this does nothing.
    """
    global _held
    if threading.current_thread() is not threading.main_thread() or _held is not None:
        yield
        return
    handlers = {number: found for number in SIGNALS if callable(found := signal.getsignal(number))}
    _held = mine = _Held(handlers)
    for number in handlers:
        signal.signal(number, mine.take)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        _held = None
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
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated
