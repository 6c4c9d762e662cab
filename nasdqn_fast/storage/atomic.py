"""Files that are whole or absent: written beside their place and renamed into it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

_BESIDE = re.compile(r"\..+\.[0-9a-f]{16}")


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, durable: bool = False) -> Iterator[io.BufferedRandom]:
    """Open a new binary file that replaces `path` when the block ends without an error.

    Args:
        path: the file.
        durable: flush the file to the disk first, so that it survives a loss of power; costs milliseconds.

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
                os.fsync(file.fileno())
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
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
