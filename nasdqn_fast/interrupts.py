"""Ctrl-C between two statements that belong together."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Holds SIGINT back until the block has ended, then hands it to whoever handles it.

    In other threads than the main one this does nothing: Python interrupts only that one. Nor does it
    where a handler was set from C, which could not be put back.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came and callable(before):
            before(*came[0])
        elif came:
            signal.raise_signal(signal.SIGINT)  # to whatever the system does with it
