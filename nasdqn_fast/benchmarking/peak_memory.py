"""What a process has had in memory at most, asked by itself."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak_memory() -> int:
    """Bytes, since the process began with its program.

    Linux's ru_maxrss is that of the process it was forked from, if that was larger: VmHWM begins anew.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None, "Linux has had VmHWM since 2.6"
    return int(found[1]) * 1024
