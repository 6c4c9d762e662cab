"""Where what is costly to compute stays between processes. All of it may be deleted at any time."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path


def directory() -> Path:
    """$NASDQN_FAST_CACHE_DIR, else ``nasdqn-fast`` in the user's cache directory; it may not exist yet.

    Raises:
        FileNotFoundError: the user has no home directory, as in a container whose user has no entry in passwd.
    """
    try:
        if chosen := os.environ.get("NASDQN_FAST_CACHE_DIR"):
            return Path(chosen).expanduser()
        if base := os.environ.get("XDG_CACHE_HOME"):
            return Path(base, "nasdqn-fast").expanduser()
        caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
        return Path.home() / caches / "nasdqn-fast"
    except RuntimeError:
        raise FileNotFoundError(errno.ENOENT, "no home directory") from None
