"""Files found by being there: the groups, and the peers."""

from __future__ import annotations

from pathlib import Path


def stems(folder: Path) -> dict[str, str]:
    """Name -> stem of the Python files in a folder, without importing any.

    ``learning_step.py`` reads ``learning-step``. A name that begins with ``_`` is shared by the others; one that ends
    so only avoids the name of a library.
    """
    found = sorted(path.stem for path in folder.glob("[!_]*.py"))
    return {stem.rstrip("_").replace("_", "-"): stem for stem in found}


def groups() -> dict[str, str]:
    """Name -> module of the groups of cases."""
    folder = Path(__file__).parent / "groups"
    return {name: f"nasdqn_fast.benchmarking.groups.{stem}" for name, stem in stems(folder).items()}
