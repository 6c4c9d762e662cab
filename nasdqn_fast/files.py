"""Files that are whole or absent: written beside their place and renamed into it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Opens a new binary file that takes the place of `path` when the block ends without an error.

    Raises:
        OSError: the folder is missing or not writable.
    """
    path = Path(path)
    # A name of its own for every writer: two processes may write the same cache entry at once.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            yield file
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
