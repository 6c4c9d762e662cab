"""The value tables V_0 ... V_T of a finite horizon, of which only some are kept."""

from __future__ import annotations

import math

import numpy as np

from nasdqn_fast.optimal.grid import Grid
from nasdqn_fast.optimal.sweep import compiled_sweep


class Values:
    """Backward induction from V_T = 0.

    All tables of 200 steps on 720 x 401 nodes are 460 MB. Every 15th is kept (sqrt(200)); those
    between are recomputed, a block at a time, when asked for: 70 MB, and a walk through all
    steps costs one more induction.

    Args:
        grid: the nodes.
        next_states: float64 (nodes, A, 2), s'(s, a).
        rewards: float64 (nodes, A), r(s, a).
        horizon: T, steps.
    """

    def __init__(self, grid: Grid, next_states: np.ndarray, rewards: np.ndarray, horizon: int) -> None:
        self._location = grid.locate(next_states)
        self._rewards = rewards
        self._row = grid.shape[1]
        self._horizon = horizon
        self._spacing = math.ceil(math.sqrt(horizon))
        self._kept = {horizon: np.zeros(len(rewards) + self._row)}
        self._block: dict[int, np.ndarray] = {}
        later = self._kept[horizon]
        for t in reversed(range(horizon)):
            later = self._before(later)
            if t % self._spacing == 0:
                self._kept[t] = later

    def at(self, t: int) -> np.ndarray:
        """V_t, 0 <= t <= T: flat, with the first row repeated after the last."""
        if t not in self._kept and t not in self._block:
            self._compute_block(t // self._spacing)
        return self._kept[t] if t in self._kept else self._block[t]

    def _compute_block(self, index: int) -> None:
        """The tables between two kept ones, in place of another block's."""
        first = index * self._spacing
        end = min(first + self._spacing, self._horizon)
        self._block = {}
        later = self._kept[end]
        for t in reversed(range(first + 1, end)):
            later = self._block[t] = self._before(later)

    def _before(self, later: np.ndarray) -> np.ndarray:
        values = np.empty_like(later)
        compiled_sweep()(later, *self._location, self._rewards, self._row, values)
        return values
