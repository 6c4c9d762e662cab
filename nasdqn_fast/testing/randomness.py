"""The generators that no plug-in may touch."""

from __future__ import annotations

import random
from typing import Any

import numpy as np


def global_generators() -> tuple[Any, ...]:
    """The states of Python's and NumPy's global generators, comparable with ==."""
    legacy: Any = np.random.get_state()  # noqa: NPY002 (here to see that nobody uses it)
    return random.getstate(), legacy[1].tobytes(), legacy[2:]
