"""A supernet in plain NumPy.

Slimmable networks: Yu et al. 2019 (arXiv:1812.08928), Yu and Huang 2019 (arXiv:1903.05134).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from nasdqn_fast.engine.base_supernet import BaseSupernet
from nasdqn_fast.reference.agent import DQNAgent
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.reference.optimizer import Optimizer
from nasdqn_fast.reference.replay import ReplayBuffer
from nasdqn_fast.space import Architecture


class DQNSupernet(BaseSupernet[QNetwork, ReplayBuffer, Optimizer], DQNAgent):
    """`BaseSupernet` on NumPy, with one more argument.

    Args:
        dtype: float32 or float64, of networks and memory.
    """

    def _update(self) -> float:
        """One step on the sum of the gradients of the paths drawn."""
        batch, discounts, drawn = self._minibatch()
        numbers = self._drawn_paths()
        settings, plan = self.settings, self._plan
        loss_of = settings.huber_delta, settings.loss
        weights = None if drawn is None else drawn.weights.astype(self.network.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            targets = self._targets(batch, discounts)
            teacher = self._q(batch.observations)
            gradient, total = self._shared.zero_gradient(), 0.0
            for k, times in Counter(numbers).items():
                path = self.path(plan.space[k])
                if k == plan.largest or not plan.distill:
                    loss, own = path.loss_and_gradient(batch.observations, batch.actions, targets, *loss_of, weights)
                else:
                    loss, own = path.regression(batch.observations, teacher, *loss_of, weights)
                total += times * loss
                for part, shared, factor in plan.parts(own, plan.space[k], gradient):
                    shared += part.dtype.type(times * factor) * part
            first = plan.largest if plan.distill else numbers[0]
            values = self.path(plan.space[first]).forward(batch.observations.astype(self.network.dtype))
            errors = values[np.arange(len(batch)), batch.actions] - targets
        if not np.isfinite(total):
            raise self._non_finite_loss()
        rate = self.optimizer.settings.resolved_learning_rate
        self.optimizer.learning_rate = settings.learning_rate_after(self.steps, rate)
        self._shared.apply_gradient(gradient, self.optimizer)
        self._read_largest()
        if drawn is not None:
            self._update_priorities(drawn, errors)
        self._count_update()
        return total / len(numbers)

    def _drawn_paths(self) -> list[int]:
        """Of an update: by the sandwich rule the largest and the smallest, then draws by the odds."""
        plan = self._plan
        return plan.always + [self._drawn_path() for _ in range(plan.drawn - len(plan.always))]

    def _drawn_path(self) -> int:
        odds = self._odds.tolist()
        if len(odds) == 1:
            return 0
        left, k = self.replay.rng.random() * sum(odds), 0
        while k < len(odds) - 1 and (left := left - odds[k]) >= 0.0:
            k += 1
        return k

    def _use(self, network: QNetwork, target: QNetwork, optimizer: Optimizer, stand_in: QNetwork | None) -> None:
        self._read(network)

    def _read_largest(self) -> None:
        self._read(self.network)

    def beside(self, network: Any, **keywords: Any) -> Any:
        return DQNAgent(self.environment, network, **keywords)

    def _network_of(
        self, architecture: Architecture, observation_size: int, n_actions: int, rng: np.random.Generator | None
    ) -> QNetwork:
        initial = self.settings.initial_weights()
        return QNetwork(architecture, observation_size, n_actions, rng, initial, dtype=self._dtype)

    def _use_odds(self, odds: np.ndarray) -> None:
        """They are read whenever a path is drawn."""
