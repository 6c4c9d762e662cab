"""The learning curve of a run, gathered episode by episode."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.types import Episodes


class LearningCurve:
    """Returns and lengths of all episodes that have ended; the arrays are read-only."""

    def __init__(self) -> None:
        self._returns: list[np.ndarray] = []
        self._lengths: list[np.ndarray] = []

    def append(self, episodes: Episodes) -> None:
        """Adds episodes in order of ending."""
        self._returns.append(episodes.returns)
        self._lengths.append(episodes.lengths)

    def returns(self) -> np.ndarray:
        """float64 (episodes,)."""
        return _joined(self._returns, np.float64)

    def lengths(self) -> np.ndarray:
        """int64 (episodes,)."""
        return _joined(self._lengths, np.int64)


def _joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    """All parts as one array, which replaces them: the next call has less to join."""
    joined = np.concatenate([*parts, np.empty(0, dtype)])
    joined.flags.writeable = False  # an estimator is given it
    parts[:] = [joined]
    return joined
