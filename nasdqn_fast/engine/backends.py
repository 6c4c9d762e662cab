"""The two engines, by name: compiled code, and its NumPy twin."""

from __future__ import annotations

import importlib
from typing import Any

from nasdqn_fast.errors import InputError, suggest

_MODULES = {"native": "nasdqn_fast.engine", "numpy": "nasdqn_fast.reference"}
NAMES = tuple(_MODULES)


def find(name: str) -> Any:
    """A module with ``QNetwork``, ``ReplayBuffer``, ``Optimizer`` and ``DQNAgent``.

    Raises:
        InputError: no backend of that name.
    """
    if name not in _MODULES:
        raise InputError(f"unknown backend {name!r}: {suggest(name, NAMES)}")
    return importlib.import_module(_MODULES[name])
