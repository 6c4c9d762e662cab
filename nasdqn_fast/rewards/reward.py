"""The reward: a score, in units of return, with the cost of the architecture in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nasdqn_fast.rewards.forms import FORMS
from nasdqn_fast.space import Architecture


@dataclass(frozen=True)
class Reward:
    """A function of an architecture and its score; it has no state, and draws nothing.

    Args:
        form: one of `FORMS`.
        weight: of the cost, >= 0; with 0 the reward is the score.
        low, high: the returns that count as quality 0 and 1.
        target: the cost that counts as 1, > 0.
        cost: of an architecture.
    """

    form: str
    weight: float
    low: float
    high: float
    target: float
    cost: Callable[[Architecture], float]

    def __call__(self, architecture: Architecture, score: float) -> float:
        """The reward, in units of return.

        Args:
            architecture: what was really trained.
            score: of an estimator.
        """
        scale = self.high - self.low
        quality = (score - self.low) / scale
        return self.low + scale * FORMS[self.form](quality, self.cost(architecture) / self.target, self.weight)
