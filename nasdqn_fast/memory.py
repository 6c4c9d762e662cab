"""Warns when large objects together need more memory than there is.

The system gives memory when it is written to, not when it is asked for: a replay memory too large for the machine is
made without an error, and ends the process hours later.
"""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from pathlib import Path

LARGE = 1 << 20  # bytes; smaller blocks are not counted
_LOOKED_AT = 1 << 26  # bytes in all, below which nobody is asked
_UNLIMITED = 1 << 60  # how cgroup v1 says that there is no limit, roughly
_GIB = 2**30

_lock = threading.RLock()  # a finalizer may run in its holder's thread
_promised = 0


def promise(owner: object, n_bytes: int) -> None:
    """Counts a block of memory for as long as its owner exists."""
    if n_bytes < LARGE:
        return
    _count(n_bytes)
    weakref.finalize(owner, _count, -n_bytes).atexit = False


def _count(n_bytes: int) -> None:
    global _promised
    with _lock:
        _promised += n_bytes


def promised() -> int:
    """Bytes in all large blocks that exist."""
    return _promised


def is_short() -> bool:
    """Whether that is more than this process can have: what is available, and what it uses already."""
    return _shortage() is not None


def warn_if_short() -> None:
    """One warning, with both numbers, if it is."""
    shortage = _shortage()
    if shortage is not None:
        warnings.warn(
            f"replay memories and what belongs to them take {_promised / _GIB:.3g} GiB when they are full, and "
            f"{shortage / _GIB:.3g} GiB of memory are available; lower replay_capacity, or the process may be killed",
            stacklevel=3,
        )


def _shortage() -> int | None:
    """What this process can have, if it is less than what was promised."""
    if _promised < _LOOKED_AT or (free := available()) is None:
        return None
    total = free + resident()
    return total if _promised > total else None


def available(root: Path = Path("/")) -> int | None:
    """Bytes that the machine can still give, or less where control groups limit this process; None: unknown.

    Args:
        root: of the file system, for tests.
    """
    try:
        meminfo = (root / "proc/meminfo").read_text()
        free = int(meminfo.split("MemAvailable:")[1].split()[0]) * 1024
    except (OSError, ValueError, IndexError):  # not Linux
        return None
    return min([free, *_group_limits(root)])


def resident() -> int:
    """Bytes of memory that this process uses; 0 if unknown."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _group_limits(root: Path) -> list[int]:
    """What each control group above this process leaves, version 1 and 2."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    left = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, limit, usage = root / "sys/fs/cgroup", "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            top, limit, usage = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        group = Path(os.path.normpath("/" + path.strip("/")).lstrip("/"))
        for folder in (top / group, *(top / parent for parent in group.parents)):
            left += _left(folder, limit, usage)
    return left


def _left(folder: Path, limit: str, usage: str) -> list[int]:
    try:
        most, used = int((folder / limit).read_text()), int((folder / usage).read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return []
    if most >= _UNLIMITED:
        return []
    try:  # file pages that the system drops when it needs their room
        stat = (folder / "memory.stat").read_text().split()
        used -= int(stat[stat.index("inactive_file") + 1])
    except (OSError, ValueError, IndexError):
        pass
    return [max(most - used, 0)]
