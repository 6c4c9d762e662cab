"""Gradient-based search over a supernet: a distribution over its paths that follows the gradient of their mean score.

Weights and distribution are trained in turn, as in ENAS (Pham et al. 2018, arXiv:1802.03268): the weights by paths that
are drawn from it, the distribution by the scores of paths with the weights as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.protocol import Supernet
from nasdqn_fast.events import PolicyMoved
from nasdqn_fast.search.path_policy import PathPolicy
from nasdqn_fast.search.supernet import SupernetTrainer
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Episodes
from nasdqn_fast.validation import check_int, check_positive_int


class GradientTrainer(SupernetTrainer):
    """A `SupernetTrainer` whose paths are drawn from a policy, which takes a step every so many episodes.

    Args:
        agent: the supernet.
        policy: over the same space.
        episodes: in all, >= 1.
        score_episodes: greedy episodes of each architecture at the end, >= 1.
        every: episodes between two steps of the policy, >= 1.
        samples: architectures drawn for a step, >= 2.
        step_episodes: greedy episodes of each of them, >= 1, from starts that are the same in all steps.

    Attributes:
        agent, policy: as given.
        clock: seconds spent as ``controller`` (the policy), ``estimator`` (greedy episodes) and ``train``.
        episodes_done: episodes ended so far.
    """

    reason = "gradient"

    def __init__(
        self,
        agent: Supernet,
        policy: PathPolicy,
        *,
        episodes: int,
        score_episodes: int,
        every: int,
        samples: int,
        step_episodes: int,
    ) -> None:
        super().__init__(agent, episodes=episodes, score_episodes=score_episodes)
        self.policy = policy
        self.every = check_positive_int("every", every)
        self.samples = check_int("samples", samples, 2)
        self.step_episodes = check_positive_int("step_episodes", step_episodes)
        self._moved_after = 0  # episodes that had ended at the last step of the policy

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"policy": self.policy.get_state(), "moved_after": self._moved_after}

    def set_state(self, state: Mapping[str, Any], episodes: Episodes) -> None:
        super().set_state(state, episodes)
        self.policy.set_state(state["policy"])
        self._moved_after = state["moved_after"]

    def _between_episodes(self, stop: StopToken | None) -> PolicyMoved | None:
        """A step of the policy, where one is due. Where it is stopped, nothing has changed."""
        done = self.episodes_done
        if done < self._moved_after + self.every or not self.agent.updates:
            return None
        # Generators of their own, that a stop and another try begin with again.
        drawn = self.policy.draw(self.samples, self.agent.streams.child("controller", done))
        different = [self.agent.plan.space[k] for k in sorted(set(drawn))]
        scores, steps = self._scores(different, self.step_episodes, (0,), stop)
        with self.clock.charge("controller"):
            self.policy.learn(drawn, np.array([scores[self.agent.plan.space[k]] for k in drawn]))
            self._count_cost()  # of paths by the odds so far
            self.agent.odds = self.policy.probabilities
        self._moved_after = done
        return PolicyMoved(self.segment, done, scores, self.step_episodes, steps, self.policy.marginals)

    def _pick(self, ranking: tuple[tuple[Architecture, float], ...]) -> Architecture:
        return self.policy.best
