"""What this installation consists of: recorded with each run, shown by ``nasdqn-fast info``."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Iterable
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import numpy as np

PACKAGES = ("nasdqn-fast", "numpy", "numba", "llvmlite", "gymnasium", "click", "rich")


def build_facts() -> dict[str, str]:
    """Versions, platform, CPU target and the digest of the compiled core.

    Equal facts and an equal config give equal runs. Of the platform only the C library counts, the digest
    stands for sources, compiler and flags.
    """
    from nasdqn_fast._core import cpu

    return _installed(Path(cpu.__file__).parent) | {"cpu_target": cpu.current()}


@functools.cache
def _installed(core: Path) -> dict[str, str]:
    """What stays as it is while a process runs; some milliseconds to find out."""
    versions = {package: metadata.version(package) for package in PACKAGES}
    return versions | {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        # NumPy's logarithm, sine and cosine, of which initial weights are made, have their own choice of instructions.
        "numpy_simd": ", ".join(np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", ["none"])),
        "core": _digest(sorted(core.glob(f"*{EXTENSION_SUFFIXES[0]}"))),
    }


def _digest(files: Iterable[Path]) -> str:
    """Hexadecimal digest of the files' names and contents."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
