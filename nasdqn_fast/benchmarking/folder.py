"""Files found by being there: the groups, and the peers."""

from __future__ import annotations

from pathlib import Path


def modules(folder: str) -> dict[str, str]:
    """Name -> module of the files in a folder beside this one; ``learning_step.py`` reads ``learning-step``.

    Names that begin with ``_`` are what the files share. Nothing is imported.
    """
    paths = sorted((Path(__file__).parent / folder).glob("[!_]*.py"))
    return {path.stem.replace("_", "-"): f"nasdqn_fast.benchmarking.{folder}.{path.stem}" for path in paths}
