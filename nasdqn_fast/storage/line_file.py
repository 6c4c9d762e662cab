"""A text file that grows line by line and can be continued where a state was saved."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasdqn_fast.errors import DamageError
from nasdqn_fast.storage.atomic import sync


class LineFile:
    """A file that is written through at once: a process that is killed leaves all whole lines.

    Args:
        path: the file.
        state: of `get_state`; what was written after it stays until `cut`, which comes before the first line. None
            begins a new file.

    Raises:
        FileExistsError: a new file would replace one.
        DamageError: the file is gone, or its beginning is not what was there when the state was saved.
        OSError: it cannot be read or written.
    """

    def __init__(self, path: Path, state: Mapping[str, Any] | None = None) -> None:
        self._size = 0 if state is None else state["size"]
        # Unbuffered: a line is on its way to the disk, or the error is known, when `write` returns.
        try:
            self._file = path.open("x+b" if state is None else "r+b", buffering=0)
        except FileNotFoundError:
            if state is None:
                raise
            raise DamageError(f"{path.name} is gone") from None
        try:
            if state is not None and self._digest() != state["sha256"]:
                raise DamageError(f"{path.name} is not as it was written")
        except BaseException:
            self._file.close()
            raise

    def write(self, line: str) -> int:
        """Appends a line, its end included.

        Raises:
            OSError: the disk is full; a part may have been written.
        """
        rest = memoryview(line.encode())
        while rest:  # a single call may take a part only
            written = self._file.write(rest)
            self._size += written
            rest = rest[written:]
        return len(line)

    def get_state(self) -> dict[str, Any]:
        """Size in bytes and digest of what was written, which is on the disk then."""
        sync(self._file.fileno())
        return {"size": self._size, "sha256": self._digest()}

    def cut(self) -> None:
        """Cuts off what was written after the state."""
        self._file.truncate(self._size)

    def close(self) -> None:
        """No more lines; those there are, are on the disk."""
        if not self._file.closed:
            with self._file:
                sync(self._file.fileno())

    def _digest(self) -> str:
        """Of as many bytes as were written; leaves the file's position behind them."""
        self._file.seek(0)
        return hashlib.sha256(self._file.read(self._size)).hexdigest()
