"""REINFORCE: a softmax policy, moved along its gradient; the baseline is a moving average of rewards.

Williams 1992; for architecture search Zoph and Le 2017 (arXiv:1611.01578). After a trajectory, for each of its steps

    theta += learning_rate ((G_t - b) grad log pi(a_t | s_t) + entropy grad H(pi(. | s_t)))

with G_t the rewards from t on and b the average of earlier G, without the bias of its beginning at 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers._forms import Trajectory
from nasdqn_fast.controllers._gradients import PolicyGradient, returns_to_go
from nasdqn_fast.controllers._learner import LearnerOptions
from nasdqn_fast.options import HERE, option
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.validation import check_decay_rate


class Reinforce(PolicyGradient):
    """REINFORCE with a moving average for its baseline.

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        options: form, policy, baseline and entropy.
    """

    @dataclass(frozen=True)
    class Options(LearnerOptions):
        baseline_decay: float = option(
            0.9, "weight of the past in the moving average", "NATS-Bench", check=check_decay_rate
        )
        entropy: float = option(0.01, "weight of the policy's entropy, which keeps it exploring", HERE, minimum=0)

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng, options)
        self.options = options
        self._sum = self._weight = 0.0  # of the moving average

    @property
    def baseline(self) -> float:
        """b; 0, the mean of z-scores, while there is no earlier reward."""
        return self._sum / self._weight if self._weight else 0.0

    def learn_from(self, trajectory: Trajectory) -> None:
        returns = returns_to_go(self.form.rewards(trajectory, self.scale))
        gradient = self.gradient(trajectory, returns - self.baseline, self.options.entropy)
        self.actor.ascend(trajectory.states, gradient, self.rate)
        # Only now: with this trajectory's own reward in it, the baseline would bias the gradient.
        decay = self.options.baseline_decay
        self._sum = decay * self._sum + (1 - decay) * float(returns.mean())
        self._weight = decay * self._weight + 1 - decay

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"baseline": [self._sum, self._weight]}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self._sum, self._weight = state["baseline"]


plugin = Reinforce
