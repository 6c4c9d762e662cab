"""Where what is costly to compute stays between processes. All of it may be deleted at any time."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def directory() -> Path:
    """$NASDQN_FAST_CACHE_DIR, else ``nasdqn-fast`` in the user's cache directory; it may not exist yet.

    Raises:
        RuntimeError: no home directory.
    """
    if chosen := os.environ.get("NASDQN_FAST_CACHE_DIR"):
        return Path(chosen)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base, "nasdqn-fast")
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / caches / "nasdqn-fast"
