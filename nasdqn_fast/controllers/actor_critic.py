"""Actor-critic: a softmax policy, moved by the error of a learned value of each partial architecture.

Sutton and Barto 2018, section 13.5, with lambda-returns within a trajectory. For each step

    theta += learning_rate (A_t grad log pi(a_t | s_t) + entropy grad H(pi(. | s_t)))
    V(s_t) is moved towards V(s_t) + A_t

with A_t = sum_k trace^k delta_(t+k) and delta_t = r_t + V(s_(t+1)) - V(s_t).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nasdqn_fast.controllers._forms import Trajectory
from nasdqn_fast.controllers._gradients import PolicyGradient, generalized_advantages
from nasdqn_fast.controllers._learner import LearnerOptions
from nasdqn_fast.options import HERE, option
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.validation import check_positive


class ActorCritic(PolicyGradient):
    """Actor-critic.

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        options: form, policy, critic and entropy.
    """

    @dataclass(frozen=True)
    class Options(LearnerOptions):
        critic_rate: float = option(
            2.0, "step size of the critic, as a multiple of learning_rate", HERE, check=check_positive
        )
        trace: float = option(
            0.9, "lambda: 0 trusts the critic's next value, 1 only the rewards", HERE, minimum=0, maximum=1
        )
        entropy: float = option(0.01, "weight of the policy's entropy, which keeps it exploring", HERE, minimum=0)

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng, options)
        self.options = options
        self.critic = self.function("critic", 1)

    def learn_from(self, trajectory: Trajectory) -> None:
        rewards = self.form.rewards(trajectory, self.scale)
        values = self.critic.outputs(trajectory.states)[:, 0]
        advantages = generalized_advantages(rewards, values, self.options.trace)
        gradient = self.gradient(trajectory, advantages, self.options.entropy)
        self.actor.ascend(trajectory.states, gradient, self.rate)
        zeros = np.zeros(len(values), int)
        self.critic.fit(trajectory.states, zeros, values + advantages, self.rate * self.options.critic_rate)


plugin = ActorCritic
