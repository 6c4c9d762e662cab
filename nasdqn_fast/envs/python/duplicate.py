"""Copies of the user's environments, in the middle of whatever they do."""

from __future__ import annotations

import copy
from typing import Any

from gymnasium.vector import AsyncVectorEnv


def duplicate(env: Any) -> Any:
    """A deep copy.

    Raises:
        TypeError: its environments are other processes; a copy, even one that fails halfway, would close their pipes.
        Exception: whatever its parts raise when they are copied.
    """
    if isinstance(env.unwrapped, AsyncVectorEnv):
        raise TypeError("its environments are other processes")
    return copy.deepcopy(env)
