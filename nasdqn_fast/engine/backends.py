"""The two engines, by name: compiled code, and its NumPy twin."""

from __future__ import annotations

import importlib
from typing import cast

from nasdqn_fast.engine.protocol import Engine
from nasdqn_fast.errors import UnknownName

_MODULES = {"native": "nasdqn_fast.engine", "numpy": "nasdqn_fast.reference"}
NAMES = tuple(_MODULES)


def find(name: str) -> Engine:
    """The engine of that name.

    Raises:
        InputError: no backend of that name.
    """
    if name not in _MODULES:
        raise UnknownName("backend", name, NAMES)
    return cast(Engine, importlib.import_module(_MODULES[name]))
