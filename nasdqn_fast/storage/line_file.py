"""A text file that grows line by line and can be taken up again where a state was saved."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasdqn_fast.validation import check_int

_CHUNK = 1 << 20  # bytes


class LineFile:
    """A file of its own, written through at once: a process that is killed leaves all whole lines.

    Args:
        path: the file.
        state: of `get_state`; what was written after it stays until `cut`, which comes before the first line. None
            begins a new file.

    Raises:
        FileExistsError: a new file would replace one.
        ValueError: the file is gone, or its beginning is not what was written before the state was saved.
        OSError: it cannot be read or written.
    """

    def __init__(self, path: Path, state: Mapping[str, Any] | None = None) -> None:
        self._digest = hashlib.sha256()
        # Unbuffered: a line is on its way to the disk, or the error is known, when `write` returns.
        try:
            self._file = path.open("xb" if state is None else "r+b", buffering=0)
        except FileNotFoundError:
            if state is None:
                raise
            raise ValueError(f"{path.name} is gone") from None
        self._size = 0
        if state is not None:
            try:
                self._verify(path, state)
            except BaseException:
                self._file.close()
                raise

    def write(self, line: str) -> int:
        """Appends a line, its end included.

        Raises:
            OSError: the disk is full; a part may have been written.
        """
        content = line.encode()
        rest = memoryview(content)
        while rest:  # a single call may take a part only
            rest = rest[self._file.write(rest) :]
        self._digest.update(content)
        self._size += len(content)
        return len(line)

    def get_state(self) -> dict[str, Any]:
        """Size in bytes and digest of what was written, which is on the disk then."""
        os.fsync(self._file.fileno())
        return {"size": self._size, "sha256": self._digest.hexdigest()}

    def cut(self) -> None:
        """Cuts off what was written after the state."""
        self._file.truncate(self._size)

    def close(self) -> None:
        """No more lines; those there are, are on the disk."""
        with self._file:
            os.fsync(self._file.fileno())

    def _verify(self, path: Path, state: Mapping[str, Any]) -> None:
        self._size = left = check_int("size", state["size"], 0)
        while left > 0 and (chunk := self._file.read(min(left, _CHUNK))):
            self._digest.update(chunk)
            left -= len(chunk)
        if left or self._digest.hexdigest() != state["sha256"]:
            raise ValueError(f"{path.name} is not as it was written")
