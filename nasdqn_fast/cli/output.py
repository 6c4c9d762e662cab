"""Standard output and error that end no training, whatever becomes of them."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import click

PROG = "nasdqn-fast"


def say(what: object) -> None:
    """One line on stderr, whatever the message and whatever became of stderr."""
    with contextlib.suppress(OSError, ValueError):  # after SIGHUP the terminal may be gone
        click.echo(f"{PROG}: {printable(' '.join(str(what).split()))}", err=True)


@contextlib.contextmanager
def dispensable(what: str, comfort: str) -> Iterator[None]:
    """A block without which a run can do: an error in it becomes a warning.

    Args:
        what: what does not work then, as ``the display is off``.
        comfort: what works all the same.
    """
    try:
        yield
    except Exception as error:
        say(f"warning: {what} ({type(error).__name__}: {error}); {comfort}")


def printable(text: str) -> str:
    """The text in one line, with escapes for what a terminal would obey or cannot show."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def discard(stream: TextIO) -> None:
    """Sends what a stream still holds, and all that comes, nowhere; else it would fail again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def prepare() -> None:
    """Gives the process the standard streams that it was started without, as by ``>&-``, a service or pythonw.

    Standard output shows ``?`` for what its encoding lacks, in place of an error.
    """
    # A file that is opened later must not get the number of a stream: what a library writes there would land in it.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (as long as the process)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def settle() -> None:
    """Writes what standard output still holds, or drops it: Python would complain of it after the end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            discard(sys.stdout)


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
            try:
                self._stream.write(text)
            except UnicodeEncodeError as error:
                self._stream.write(text.encode(error.encoding, "replace").decode(error.encoding))
        return len(text)

    def flush(self) -> None:
        with self._lasting():
            self._stream.flush()

    @contextlib.contextmanager
    def _lasting(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):  # a ValueError: it was closed
            with contextlib.suppress(OSError, ValueError):  # it has no number
                discard(self._stream)
