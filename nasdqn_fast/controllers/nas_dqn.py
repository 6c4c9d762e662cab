"""NAS-DQN: uniform with probability epsilon, else a softmax over the best scores so far.

Rahmani et al. 2025 (arXiv:2510.19872), section 2.3.2. Algorithm 1 is a picture there; what it leaves
open is said at each option.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import (
    check_choice,
    check_decay,
    check_int,
    check_positive,
    check_positive_int,
    check_sum,
)

SCORE_KEPT = ("best", "every-visit")


def softmax_of_z_scores(scores: Sequence[float], temperature: float) -> np.ndarray:
    """P(c) = exp(z(c) / temperature) / sum of the same, z = (S - mean) / (standard deviation + 1e-8).

    Args:
        scores: S(c), at least one. One score, or equal ones: z = 0, all equally likely.
        temperature: tau > 0; towards 0 the best is always taken.

    Returns:
        float64 (len(scores),) probabilities.
    """
    z = (np.asarray(scores) - np.mean(scores)) / (np.std(scores) + 1e-8)
    weights = np.exp((z - z.max()) / temperature)
    return weights / weights.sum()


class NASDQN(Controller):
    """The paper's controller.

    The first draw is uniform, since nothing is known, and uses up no epsilon. Draw k = 0, 1, ... after
    it explores with probability max(epsilon_min, epsilon_start epsilon_decay**k).

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        epsilon_start: in [0, 1]; not given in the paper. At 1, nine switches explore in 82 % of the cases.
        epsilon_decay: in [0, 1]; 0.95 in the paper.
        epsilon_min: in [0, 1], at most epsilon_start; not given in the paper.
        temperature: > 0, on z-scores; 1.5 in the paper.
        buffer_size: entries of the best buffer, >= 1; not given in the paper.
        score_kept: ``best``: an architecture is one entry with its best score; ``every-visit``: each
            segment is an entry of its own. Not given in the paper.

    Raises:
        TypeError, ValueError: an option of another type or out of its range.
    """

    def __init__(
        self,
        space: SearchSpace,
        rng: np.random.Generator,
        *,
        epsilon_start: float = 1.0,
        epsilon_decay: float = 0.95,
        epsilon_min: float = 0.1,
        temperature: float = 1.5,
        buffer_size: int = 5,
        score_kept: str = "best",
    ) -> None:
        super().__init__(space, rng)
        self.epsilon_start, self.epsilon_decay, self.epsilon_min = check_decay(
            ("epsilon_start", "epsilon_decay", "epsilon_min"), epsilon_start, epsilon_decay, epsilon_min
        )
        self.temperature = check_positive("temperature", temperature)
        self.buffer_size = check_positive_int("buffer_size", buffer_size)
        self.score_kept = check_choice("score_kept", score_kept, SCORE_KEPT)
        self.switches = 0  # k
        self.best: list[tuple[Architecture, float]] = []  # the best buffer, best first

    @property
    def epsilon(self) -> float:
        """Probability that the next draw explores, once something is known."""
        return max(self.epsilon_min, self.epsilon_start * self.epsilon_decay**self.switches)

    def propose(self) -> Proposal:
        if not self.best:
            return Proposal(self.space.sample(self.rng), "first")
        explore = self.rng.random() < self.epsilon
        self.switches += 1
        if explore:
            return Proposal(self.space.sample(self.rng), "explore")
        architectures, scores = zip(*self.best, strict=True)
        chosen = self.rng.choice(len(scores), p=softmax_of_z_scores(scores, self.temperature))
        return Proposal(architectures[chosen], "exploit")

    def learn(self, result: Result) -> None:
        score, others = result.score, self.best
        if self.score_kept == "best":
            score = max(score, dict(self.best).get(result.architecture, score))
            others = [entry for entry in self.best if entry[0] != result.architecture]
        # The sort is stable: of equal scores the older entry stays ahead, and in the buffer.
        ranked = sorted([*others, (result.architecture, score)], key=lambda entry: entry[1], reverse=True)
        self.best = ranked[: self.buffer_size]

    def get_state(self) -> dict[str, Any]:
        best = [[str(architecture), score] for architecture, score in self.best]
        return super().get_state() | {"switches": self.switches, "best": best}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.switches = check_int("switches", state["switches"], 0)
        # Not only of the search space: a transfer may have altered what was asked for.
        self.best = [(Architecture.parse(text), check_sum("score", score)) for text, score in state["best"]]


plugin = NASDQN
