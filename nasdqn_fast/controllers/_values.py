"""What Q-learning and SARSA have in common: values of actions, and epsilon-greedy choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers._learner import Learner, LearnerOptions
from nasdqn_fast.controllers._policies import argmax
from nasdqn_fast.options import HERE, option
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.validation import check_decay, check_int


@dataclass(frozen=True)
class ValueOptions(LearnerOptions):
    """Options that both have."""

    epsilon_start: float = option(1.0, "probability of a uniform action at first", "MetaQNN", minimum=0, maximum=1)
    epsilon_decay: float = option(
        0.95, "factor of that probability from trajectory to trajectory", "paper 2.3.2", minimum=0, maximum=1
    )
    epsilon_min: float = option(0.05, "its lowest value", HERE, minimum=0, maximum=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        names = ("epsilon_start", "epsilon_decay", "epsilon_min")
        check_decay(names, *(getattr(self, name) for name in names))


class ValueLearner(Learner):
    """Takes the action of the highest value, and with probability epsilon any.

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        options: the form, the policy, epsilon.
    """

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: ValueOptions) -> None:
        super().__init__(space, rng, options)
        self._schedule = options
        self.q = self.function("q")
        self.trajectories = 0  # that have ended

    @property
    def epsilon(self) -> float:
        """Probability that the next action explores."""
        schedule = self._schedule
        return max(schedule.epsilon_min, schedule.epsilon_start * schedule.epsilon_decay**self.trajectories)

    def choose(self, state: int) -> int:
        (actions,) = np.nonzero(self.form.allowed[state])
        if self.rng.random() < self.epsilon:
            return int(actions[self.rng.integers(len(actions))])
        return int(actions[argmax(self.q.outputs([state])[0, actions], self.rng)])

    def values(self, states: Sequence[int]) -> np.ndarray:
        """float64 (n, actions): Q of each action, -inf where the state does not have it."""
        return np.where(self.form.allowed[states], self.q.outputs(states), -np.inf)

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"trajectories": self.trajectories}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.trajectories = check_int("trajectories", state["trajectories"], 0)


def greedy_probabilities(values: np.ndarray, epsilon: float) -> np.ndarray:
    """What an epsilon-greedy policy does: each action's probability.

    Args:
        values: float64 (n, actions), -inf where an action is not allowed.
        epsilon: the share that is uniform over those allowed; the rest is shared by the best.
    """
    allowed, best = np.isfinite(values), values == values.max(axis=1, keepdims=True)
    return epsilon * allowed / allowed.sum(axis=1, keepdims=True) + (1 - epsilon) * best / best.sum(
        axis=1, keepdims=True
    )
