"""Files found by being there: the groups, and the peers."""

from __future__ import annotations

from pathlib import Path


def modules(folder: str) -> dict[str, str]:
    """Name -> module of the files in a folder beside this one, without importing any.

    ``learning_step.py`` reads ``learning-step``. A name that begins with ``_`` is shared by the others; one that ends
    so only avoids the name of a library.
    """
    paths = sorted((Path(__file__).parent / folder).glob("[!_]*.py"))
    return {path.stem.rstrip("_").replace("_", "-"): f"nasdqn_fast.benchmarking.{folder}.{path.stem}" for path in paths}
