"""NAS-DQN: uniform with probability epsilon, else a softmax over the best scores so far.

Rahmani et al. 2025 (arXiv:2510.19872), section 2.3.2. Algorithm 1 is a picture there; what it leaves
open is said at each option.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.options import UNSAID, Checked, option
from nasdqn_fast.space import Architecture, SearchSpace, parse_setup
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_decay, check_int, check_positive, check_sum


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
        options: epsilon, the softmax and the best buffer. With ``epsilon_start`` 1, nine switches explore in 82 % of
            the cases.
    """

    @dataclass(frozen=True)
    class Options(Checked):
        epsilon_start: float = option(1.0, "probability of a uniform choice at first", UNSAID, minimum=0, maximum=1)
        epsilon_decay: float = option(0.95, "its factor from switch to switch", "paper 2.3.2", minimum=0, maximum=1)
        epsilon_min: float = option(0.1, "its lowest value over the switches", UNSAID, minimum=0, maximum=1)
        temperature: float = option(1.5, "temperature of the softmax over scores", "paper 2.3.2", check=check_positive)
        buffer_size: int = option(5, "best architectures remembered", UNSAID, minimum=1)
        score_kept: str = option(
            "best",
            "scores kept of an architecture",
            UNSAID,
            choices=("best", "every-visit"),
        )

        def __post_init__(self) -> None:
            super().__post_init__()
            names = ("epsilon_start", "epsilon_decay", "epsilon_min")
            check_decay(names, *(getattr(self, name) for name in names))

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng)
        self.options = options
        self.switches = 0  # k
        self.best: list[tuple[Architecture, float]] = []  # the best buffer, best first

    @property
    def epsilon(self) -> float:
        """Probability that the next draw explores, once something is known."""
        return max(self.options.epsilon_min, self.options.epsilon_start * self.options.epsilon_decay**self.switches)

    def propose(self) -> Proposal:
        if not self.best:
            return Proposal(self.space.sample(self.rng), "first")
        explore = self.rng.random() < self.epsilon
        self.switches += 1
        if explore:
            return Proposal(self.space.sample(self.rng), "explore")
        architectures, scores = zip(*self.best, strict=True)
        chosen = self.rng.choice(len(scores), p=softmax_of_z_scores(scores, self.options.temperature))
        return Proposal(architectures[chosen], "exploit")

    def learn(self, result: Result) -> None:
        score, others = result.score, self.best
        if self.options.score_kept == "best":
            score = max(score, dict(self.best).get(result.architecture, score))
            others = [entry for entry in self.best if entry[0] != result.architecture]
        # The sort is stable: of equal scores the older entry stays ahead, and in the buffer.
        ranked = sorted([*others, (result.architecture, score)], key=lambda entry: entry[1], reverse=True)
        self.best = ranked[: self.options.buffer_size]

    def get_state(self) -> dict[str, Any]:
        best = [[str(architecture), score] for architecture, score in self.best]
        return super().get_state() | {"switches": self.switches, "best": best}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.switches = check_int("switches", state["switches"], 0)
        # Not only of the search space: a transfer may have altered what was asked for.
        self.best = [(parse_setup(text), check_sum("score", score)) for text, score in state["best"]]


plugin = NASDQN
