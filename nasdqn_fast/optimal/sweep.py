"""One step of backward induction over all states of a grid, compiled by Numba."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np


def sweep(
    later: np.ndarray,
    corner: np.ndarray,
    u: np.ndarray,
    w: np.ndarray,
    reward: np.ndarray,
    row: int,
    values: np.ndarray,
) -> None:
    """V_t(s) = max_a r(s, a) + V_{t+1}(s'(s, a)), V_{t+1} bilinear between the nodes.

    Args:
        later: float64 (nodes + row,), V_{t+1}, flat; the last row repeats the first.
        corner, u, w: (nodes, A), where s' lies (see `Grid.locate`).
        reward: float64 (nodes, A), r(s, a).
        row: nodes in a row of the grid.
        values: float64 (nodes + row,), V_t; written.
    """
    nodes, n_actions = corner.shape
    for s in range(nodes):
        best = -math.inf
        for a in range(n_actions):
            c = corner[s, a]
            low = later[c] + w[s, a] * (later[c + 1] - later[c])
            high = later[c + row] + w[s, a] * (later[c + row + 1] - later[c + row])
            best = max(best, reward[s, a] + low + u[s, a] * (high - low))
        values[s] = best
    for s in range(row):
        values[nodes + s] = values[s]


@functools.cache
def compiled_sweep() -> Callable[..., None]:
    """The sweep in machine code; not kept on disk, for what it computes is."""
    import numba

    return numba.njit(error_model="numpy")(sweep)
