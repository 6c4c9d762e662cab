"""Q-learning: a value for each decision, learned from replayed trajectories; epsilon-greedy, less and less.

MetaQNN, Baker et al. 2017 (arXiv:1611.02167). After each trajectory, it and some earlier ones are replayed, the last
step first:

    Q(s, a) += learning_rate (r + max_u Q(s', u) - Q(s, a))

MetaQNN's epsilon falls in steps over a budget known beforehand; here it falls by a factor, and knows no budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers._forms import Trajectory
from nasdqn_fast.controllers._values import ValueLearner, ValueOptions
from nasdqn_fast.options import HERE, option
from nasdqn_fast.space import SearchSpace


class QLearning(ValueLearner):
    """Q-learning with replay.

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        options: form, policy, epsilon and replay.
    """

    @dataclass(frozen=True)
    class Options(ValueOptions):
        replays: int = option(
            32, "trajectories replayed after each; MetaQNN: 128, at a tenth of the step size", HERE, minimum=0
        )

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng, options)
        self.options = options
        self.memory: list[Trajectory] = []

    def learn_from(self, trajectory: Trajectory) -> None:
        self.trajectories += 1
        self.memory.append(trajectory)
        drawn = self.rng.integers(len(self.memory), size=self.options.replays)
        replayed = [trajectory, *(self.memory[place] for place in drawn)]
        self.replay([(one.states, one.actions, self.form.rewards(one, self.scale)) for one in replayed])

    def replay(self, trajectories: list[tuple[list[int], list[int], np.ndarray]]) -> None:
        """Learns from trajectories: the last step of each, then the one before it, and so on.

        Args:
            trajectories: states, actions and rewards of each.
        """
        for back in range(1, max(len(states) for states, _, _ in trajectories) + 1):
            steps = [(states, actions, rewards) for states, actions, rewards in trajectories if len(states) >= back]
            targets = np.array([rewards[-back] for _, _, rewards in steps])
            if back > 1:
                targets += self.values([states[1 - back] for states, _, _ in steps]).max(axis=1)
            states, actions = ([step[k][-back] for step in steps] for k in (0, 1))
            self.q.fit(states, actions, targets, self.rate)

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"memory": [trajectory.get_state() for trajectory in self.memory]}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.memory = [Trajectory(**trajectory) for trajectory in state["memory"]]


plugin = QLearning
