"""What the policy-gradient controllers have in common: a softmax policy, advantages, and their gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasdqn_fast.controllers._forms import Trajectory
from nasdqn_fast.controllers._learner import Learner, LearnerOptions
from nasdqn_fast.controllers._policies import draw, entropy_gradient, log_gradient, probabilities
from nasdqn_fast.space import SearchSpace


class PolicyGradient(Learner):
    """Draws each action from a softmax over logits.

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        options: the form, the policy, and more.
    """

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: LearnerOptions) -> None:
        super().__init__(space, rng, options)
        self.actor = self.function("actor")

    def choose(self, state: int) -> int:
        return draw(self.policy([state])[0], self.rng)

    def policy(self, states: list[int]) -> np.ndarray:
        """float64 (n, actions), the probability of each action in each state."""
        return probabilities(self.actor.outputs(states), self.form.allowed[states])

    def gradient(self, trajectory: Trajectory, advantages: np.ndarray, entropy: float) -> np.ndarray:
        """Derivatives by the logits of sum_t (A_t log pi(a_t | s_t) + entropy H(pi(. | s_t))).

        Args:
            trajectory: the steps.
            advantages: float64, A_t of each.
            entropy: the weight of H.

        Returns:
            float64 (steps, actions).
        """
        p = self.policy(trajectory.states)
        return policy_gradient(p, trajectory.actions, advantages, entropy)


def policy_gradient(p: np.ndarray, actions: Any, weights: np.ndarray, entropy: float) -> np.ndarray:
    """Derivatives by the logits of sum_t (w_t log p_t(a_t) + entropy H(p_t)), float64 (steps, actions).

    Args:
        p: float64 (steps, actions), probabilities.
        actions: those taken, (steps,).
        weights: float64 (steps,), w_t.
        entropy: the weight of H.
    """
    return weights[:, None] * log_gradient(p, actions) + entropy * entropy_gradient(p)


def returns_to_go(rewards: np.ndarray) -> np.ndarray:
    """The sum of each reward and those after it."""
    return np.cumsum(rewards[::-1])[::-1]


def generalized_advantages(rewards: np.ndarray, values: np.ndarray, trace: float) -> np.ndarray:
    """A_t = sum_k trace^k delta_(t+k), delta_t = r_t + V(s_(t+1)) - V(s_t); undiscounted, V after the end is 0.

    Schulman et al. 2016 (arXiv:1506.02438). 0: the one-step error. 1: the return to go minus V(s_t).

    Args:
        rewards, values: float64 (steps,).
        trace: lambda.
    """
    errors = rewards + np.append(values[1:], 0.0) - values
    advantages, sum_ = np.empty_like(errors), 0.0
    for t in reversed(range(len(errors))):
        advantages[t] = sum_ = errors[t] + trace * sum_
    return advantages
