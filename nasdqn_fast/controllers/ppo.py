"""PPO: several steps along a clipped gradient for each batch of architectures, with a critic.

Schulman et al. 2017 (arXiv:1707.06347); for architecture search Zoph et al. 2018 (arXiv:1707.07012). After a batch of
trajectories, `epochs` times a step up the mean over trajectories of

    sum_t min(rho_t A_t, clip(rho_t, 1 - clip, 1 + clip) A_t) + entropy H(pi(. | s_t)),

rho_t the probability of a_t now over that when it was drawn, A_t generalized advantages. With a batch of one it is an
actor-critic that takes several steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers._forms import Trajectory
from nasdqn_fast.controllers._gradients import PolicyGradient, generalized_advantages, policy_gradient
from nasdqn_fast.controllers._learner import LearnerOptions
from nasdqn_fast.options import HERE, option
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.validation import check_positive

PPO_PAPER = "Schulman et al. 2017"


class PPO(PolicyGradient):
    """Proximal policy optimization.

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        options: form, policy, batch, clipping, critic and entropy.
    """

    @dataclass(frozen=True)
    class Options(LearnerOptions):
        batch: int = option(4, "trajectories between two updates", HERE, minimum=1)
        epochs: int = option(4, "steps of each update", HERE, minimum=1)
        clip: float = option(
            0.2, "how far a probability may move, as a share of what it was", PPO_PAPER, check=check_positive
        )
        critic_rate: float = option(
            2.0, "step size of the critic, as a multiple of learning_rate", HERE, check=check_positive
        )
        trace: float = option(
            0.95, "lambda: 0 trusts the critic's next value, 1 only the rewards", PPO_PAPER, minimum=0, maximum=1
        )
        entropy: float = option(0.01, "weight of the policy's entropy, which keeps it exploring", PPO_PAPER, minimum=0)

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng, options)
        self.options = options
        self.critic = self.function("critic", 1)
        self._batch: list[Trajectory] = []

    def learn_from(self, trajectory: Trajectory) -> None:
        self._batch.append(trajectory)
        if len(self._batch) == self.options.batch:
            self._update(self._batch)
            self._batch = []

    def _update(self, batch: list[Trajectory]) -> None:
        states = [state for trajectory in batch for state in trajectory.states]
        actions = [action for trajectory in batch for action in trajectory.actions]
        values = self.critic.outputs(states)[:, 0]
        ends = np.cumsum([len(trajectory.states) for trajectory in batch])
        advantages = np.concatenate(
            [
                generalized_advantages(self.form.rewards(trajectory, self.scale), own, self.options.trace)
                for trajectory, own in zip(batch, np.split(values, ends[:-1]), strict=True)
            ]
        )
        rows = np.arange(len(states))
        before = self.policy(states)[rows, actions]
        zeros = np.zeros(len(states), int)
        for _ in range(self.options.epochs):
            p = self.policy(states)
            weights = clipped_weights(p[rows, actions] / before, advantages, self.options.clip)
            gradient = policy_gradient(p, actions, weights, self.options.entropy)
            self.actor.ascend(states, gradient / len(batch), self.rate)
            self.critic.fit(states, zeros, values + advantages, self.rate * self.options.critic_rate)

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"batch": [trajectory.get_state() for trajectory in self._batch]}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self._batch = [Trajectory(**trajectory) for trajectory in state["batch"]]


def clipped_weights(ratios: np.ndarray, advantages: np.ndarray, clip: float) -> np.ndarray:
    """Derivatives of min(rho A, clip(rho) A) by log pi: rho A, and 0 where the clipped term is the smaller.

    Args:
        ratios, advantages: float64 (n,), rho and A.
        clip: how far rho may be from 1.
    """
    beyond = np.where(advantages > 0, ratios > 1 + clip, ratios < 1 - clip)
    return np.where(beyond, 0.0, ratios * advantages)


plugin = PPO
