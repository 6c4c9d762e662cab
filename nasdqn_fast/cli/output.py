"""Standard output that ends no training, whatever becomes of it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO


def discard(stream: TextIO) -> None:
    """Sends what a stream still holds, and all that comes, nowhere; else it would fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def replace_unprintable() -> None:
    """Standard output shows ``?`` for what its encoding lacks, in place of an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


class Lasting:
    """A text stream that outlives its reader: what ``head`` or a full disk no longer takes goes nowhere.

    Args:
        stream: the stream; it answers for everything but writing.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._lasting():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._lasting():
            self._stream.flush()

    @contextlib.contextmanager
    def _lasting(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            discard(self._stream)
