"""Arms of bandits: how often each was played, and with what scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasdqn_fast.controllers._scale import RunningScale


class Arms:
    """Plays and scores of arms that are numbered from 0.

    Args:
        n: how many.
        discount: gamma of discounted UCB (Garivier and Moulines 2008): with each further play, what is known of all
            arms counts for less by this factor; 1: all plays count the same.
    """

    def __init__(self, n: int, discount: float = 1.0) -> None:
        self.plays = np.zeros(n)
        self.sums = np.zeros(n)
        self._discount = discount

    def play(self, arms: Sequence[int], score: float) -> None:
        """Counts one play, and its score, for each of some arms."""
        if self._discount < 1:
            self.plays *= self._discount
            self.sums *= self._discount
        for arm in arms:  # a few: sooner done than an array of them is made
            self.plays[arm] += 1
            self.sums[arm] += score

    def bounds(self, arms: Sequence[int], c: float, scale: RunningScale) -> np.ndarray:
        """Mean z-score plus c sqrt(2 ln(plays of all of these) / plays) of each; infinite if it was never played.

        UCB1, Auer et al. 2002, is for rewards in [0, 1]; with z-scores `c` means the same for every task.

        Args:
            arms: those to choose from.
            c: width of the bound, in deviations.
            scale: of the scores.
        """
        plays, sums = self.plays[arms], self.sums[arms]
        known = plays > 0
        bounds = np.full(len(plays), np.inf)
        width = 2 * math.log(max(plays.sum(), 1.0))
        bounds[known] = scale.z(sums[known] / plays[known]) + c * np.sqrt(width / plays[known])
        return bounds

    def draws(self, arms: Sequence[int], scale: RunningScale, rng: np.random.Generator) -> np.ndarray:
        """A draw from what each arm's mean may be: N(n z / (n + 1), 1 / (n + 1)) after n plays of mean z-score z.

        Thompson sampling for rewards of variance 1 with a standard normal prior; `scale` makes both of the scores.

        Args:
            arms: those to choose from.
            scale: of the scores.
            rng: the source of randomness.
        """
        plays, sums = self.plays[arms], self.sums[arms]
        total = (sums - plays * scale.mean) / scale.deviation
        return total / (plays + 1) + rng.standard_normal(len(plays)) / np.sqrt(plays + 1)

    def get_state(self) -> dict[str, Any]:
        """Arrays."""
        return {"plays": self.plays.copy(), "sums": self.sums.copy()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state`."""
        self.plays[...] = state["plays"]
        self.sums[...] = state["sums"]
