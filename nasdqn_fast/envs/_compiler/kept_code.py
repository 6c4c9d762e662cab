"""Checksums of the machine code that Numba keeps on disk.

Numba loads and runs what it finds. One bit that has flipped there ends the process by a signal, or gives other numbers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

from nasdqn_fast.storage.atomic import replacing


def discard_damaged(source: Path) -> None:
    """Removes what is kept of a source file, unless it is as it was when `seal` saw it.

    Raises:
        OSError: it cannot be removed.
    """
    if _digests(source) != _sealed(source):
        discard(source)


def discard(source: Path) -> None:
    """Removes what is kept of a source file.

    Raises:
        OSError: it cannot be removed.
    """
    for path in _kept(source):
        path.unlink(missing_ok=True)  # another process may have found it damaged, too


def seal(source: Path) -> None:
    """Notes what is kept of a source file, which this process has made or found sound.

    Raises:
        OSError: the note cannot be written.
    """
    digests = _digests(source)
    if digests != _sealed(source):
        with replacing(_seal(source)) as file:
            file.write(json.dumps(digests).encode())


def _digests(source: Path) -> dict[str, str]:
    digests = {}
    for path in _kept(source):
        with contextlib.suppress(FileNotFoundError):  # another process may just remove it
            digests[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests


def _sealed(source: Path) -> object:
    """None if there is no note, or none that can be read."""
    try:
        return json.loads(_seal(source).read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None


def _seal(source: Path) -> Path:
    return source.with_suffix(".sha256")


def _kept(source: Path) -> list[Path]:
    return sorted((source.parent / "__pycache__").glob(f"{source.stem}.*.nb?"))
