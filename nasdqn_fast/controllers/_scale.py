"""Scores of any task on one scale: their running mean and deviation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nasdqn_fast.validation import check_int, check_real, check_sum


class RunningScale:
    """Mean and deviation of all scores so far, by Welford's recurrence.

    Returns go from -400 to 500 and more, by task. Controllers learn from z-scores, so that their step sizes mean the
    same for each.
    """

    def __init__(self) -> None:
        self.n = 0
        self.mean = 0.0
        self._squares = 0.0  # sum of squared deviations

    def add(self, score: float) -> None:
        """Counts one more score."""
        self.n += 1
        before = score - self.mean
        self.mean += before / self.n
        self._squares += before * (score - self.mean)

    @property
    def deviation(self) -> float:
        """Standard deviation (ddof 0); 1 while all scores are equal, or there is none."""
        return math.sqrt(self._squares / self.n) if self._squares > 0 else 1.0

    def z(self, score: Any) -> Any:
        """A score, or an array of scores, in deviations from the mean."""
        return (score - self.mean) / self.deviation

    def get_state(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"n": self.n, "mean": self.mean, "squares": self._squares}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state`."""
        self.n = check_int("n", state["n"], 0)
        self.mean = check_sum("mean", state["mean"])
        self._squares = check_real("squares", state["squares"], 0)
