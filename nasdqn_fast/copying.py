"""Copies that share nothing."""

from __future__ import annotations

import copy
from typing import Any, Self


class Independent:
    """Base of objects whose `copy.copy` is a deep one, because they hold memory and generators."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restores attributes, as Python does by itself; compiled base classes refuse to."""
        vars(self).update(state)
