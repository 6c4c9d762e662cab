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
    """Opens a new binary file that takes the place of `path` when the block ends without an error.

    Args:
        path: the file.
        durable: on the disk by then, so that it outlives a loss of power; costs milliseconds.

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
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def is_leftover(path: Path) -> bool:
    """Whether it looks as `replacing` leaves a file whose process is killed."""
    return _BESIDE.fullmatch(path.name) is not None


def remove_leftovers(folder: Path) -> None:
    """Removes such files from a folder; nobody may be writing there."""
    for path in filter(is_leftover, folder.iterdir()):
        path.unlink()


def sync_folder(folder: Path) -> None:
    """The names in a folder are on the disk after this."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
