"""A supernet on the compiled loop; see `nasdqn_fast.engine.base_supernet`."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasdqn_fast._core.supernet import SupernetCore
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.engine.base_supernet import BaseSupernet
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer
from nasdqn_fast.engine.replay import ReplayBuffer
from nasdqn_fast.space import Architecture


class DQNSupernet(BaseSupernet[QNetwork, ReplayBuffer, Optimizer], DQNAgent):
    __doc__ = BaseSupernet.__doc__

    def _use(self, network: QNetwork, target: QNetwork, optimizer: Optimizer, stand_in: QNetwork | None) -> None:
        plan = self._plan
        paths = [network if k == plan.largest else self._new_network(one, None) for k, one in enumerate(plan.space)]
        heads = [plan.head(one) for one in plan.space]
        rule = plan.drawn, plan.sampling == "sandwich", plan.distill
        core = SupernetCore(self._shared, paths, heads, plan.largest, plan.smallest, *rule)
        core.use_odds(self._odds)
        self._loop.use(network, target, optimizer, stand_in=stand_in)
        self._population.learners[0].use_supernet(core)
        self._core_of_paths = core

    def beside(self, network: Any, **keywords: Any) -> Any:
        return DQNAgent(self.environment, network, **keywords)

    def _network_of(
        self, architecture: Architecture, observation_size: int, n_actions: int, rng: np.random.Generator | None
    ) -> QNetwork:
        return QNetwork(architecture, observation_size, n_actions, rng, self.settings.initial_weights())

    def _read_largest(self) -> None:
        self._core_of_paths.read(self._plan.largest)

    def _use_odds(self, odds: np.ndarray) -> None:
        self._core_of_paths.use_odds(odds)

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        del state["_core_of_paths"]
        return state
