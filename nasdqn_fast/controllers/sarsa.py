"""SARSA: a value for each decision under the policy that is followed; epsilon-greedy, less and less.

Rummery and Niranjan 1994; Sutton and Barto 2018, section 6.4. After a trajectory, its last step first:

    Q(s, a) += learning_rate (r + Q(s', a') - Q(s, a)),

a' the action that was really taken in s'. Expected SARSA (van Seijen et al. 2009) has its mean over the policy,
sum_u pi(u | s') Q(s', u). It is on-policy, so that earlier trajectories, which other policies made, are not replayed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nasdqn_fast.controllers._forms import Trajectory
from nasdqn_fast.controllers._values import ValueLearner, ValueOptions, greedy_probabilities
from nasdqn_fast.options import option
from nasdqn_fast.space import SearchSpace


class Sarsa(ValueLearner):
    """SARSA, or Expected SARSA.

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        options: form, policy, epsilon, and which of the two.
    """

    @dataclass(frozen=True)
    class Options(ValueOptions):
        expected: bool = option(
            False, "Expected SARSA: the mean over the policy's next actions, in place of the one taken", "S&B 6.6"
        )

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng, options)
        self.options = options

    def learn_from(self, trajectory: Trajectory) -> None:
        self.learn_steps(trajectory.states, trajectory.actions, self.form.rewards(trajectory, self.scale))
        self.trajectories += 1  # only now: the policy that made it had this epsilon

    def learn_steps(self, states: list[int], actions: list[int], rewards: np.ndarray) -> None:
        """Learns from the steps of a trajectory, the last one first."""
        following = 0.0
        for t in reversed(range(len(states))):
            self.q.fit([states[t]], [actions[t]], [rewards[t] + following], self.rate)
            following = self._value(states[t], actions[t])

    def _value(self, state: int, action: int) -> float:
        """Q of the action taken, or the policy's mean."""
        values = self.values([state])
        if not self.options.expected:
            return float(values[0, action])
        return float(greedy_probabilities(values, self.epsilon)[0] @ np.where(np.isfinite(values[0]), values[0], 0))


plugin = Sarsa
