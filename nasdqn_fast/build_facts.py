"""What this installation consists of: recorded with each run, shown by ``nasdqn-fast info``."""

from __future__ import annotations

import platform
from importlib import metadata

PACKAGES = ("nasdqn-fast", "numpy", "numba", "llvmlite", "gymnasium", "pydantic", "click", "rich")


def build_facts() -> dict[str, str]:
    """Versions, platform and CPU target. Equal facts and an equal config give equal runs."""
    from nasdqn_fast._core import cpu

    versions = {package: metadata.version(package) for package in PACKAGES}
    return versions | {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": platform.platform(),
        "cpu_target": cpu.current(),
    }
