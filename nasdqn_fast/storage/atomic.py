"""Files that are whole or absent: written beside their place and renamed into it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

_BESIDE = re.compile(r"\..+\.[0-9a-f]{16}")


class _Thread(threading.local):
    syncs = True


_thread = _Thread()


@contextlib.contextmanager
def syncing(wanted: bool) -> Iterator[None]:
    """In the block and in this thread, files are flushed to the disk, or that is left to the operating system.

    Of ten flushes a run, each may take as long as a hundred episodes. Without them a killed process loses nothing, but
    a loss of power may take back the last half minute.
    """
    before = _thread.syncs
    _thread.syncs = wanted
    try:
        yield
    finally:
        _thread.syncs = before


def sync(descriptor: int) -> None:
    """Flushes a file to the disk, unless `syncing` says otherwise."""
    if _thread.syncs:
        os.fsync(descriptor)


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, durable: bool = False) -> Iterator[io.BufferedRandom]:
    """Open a new binary file that replaces `path` when the block ends without an error.

    Args:
        path: the file.
        durable: flush the file to the disk first, so that it survives a loss of power, unless `syncing` says
            otherwise; costs milliseconds.

    Raises:
        OSError: the folder is missing or not writable, or the disk is full.
    """
    path = Path(path)
    # A name of its own for every writer: two processes may write the same cache entry at once.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("x+b") as file:
            yield file
            if durable:
                file.flush()
                sync(file.fileno())
        beside.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):  # the first error says more
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (beside, str(beside)):
            raise OSError(error.errno, error.strerror, str(path)) from None  # the file that the user has named
        raise
    if durable:
        sync_folder(path.parent)


def is_leftover(path: Path) -> bool:
    """Whether a file has a name that `replacing` uses, which a killed process leaves behind."""
    return _BESIDE.fullmatch(path.name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove the files that killed processes left in a folder, while no other process writes there."""
    for path in filter(is_leftover, folder.iterdir()):
        path.unlink()


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    if not _thread.syncs:
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
