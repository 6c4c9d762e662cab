"""A population of networks on the compiled loop; see `nasdqn_fast.engine.base_population`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.engine.base_population import BasePopulation
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer
from nasdqn_fast.engine.replay import ReplayBuffer
from nasdqn_fast.types import Episodes


class DQNPopulation(BasePopulation[QNetwork, ReplayBuffer, Optimizer], DQNAgent):
    __doc__ = BasePopulation.__doc__

    @property
    def chosen(self) -> int:
        return self._population.chosen

    @property
    def losses(self) -> np.ndarray:
        return self._population.losses

    def run_episodes(self, n: int, stop: StopToken | None = None) -> Episodes:
        episodes = super().run_episodes(n, stop)
        self._actors = self._loop.actors
        return episodes

    def _use_networks(self) -> None:
        for k, (_, network, target, optimizer) in enumerate(self._members):
            self._use_member(k, network, target, optimizer)

    def _use_member(self, k: int, network: QNetwork, target: QNetwork, optimizer: Optimizer) -> None:
        self._loop.use(network, target, optimizer, k)

    def _forget(self, k: int) -> None:
        self._population.forget(k)

    @property
    def choice_waits(self) -> bool:
        return self._population.has_chosen

    def _last_losses(self) -> np.ndarray:
        return self._population.last_losses

    def _take_notice(self) -> None:
        self._population.take_notice()

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"population": self._population_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        population = state.pop("population")
        super().__setstate__(state)
        self._set_population_state(population)

    def _population_state(self) -> dict[str, Any]:
        return self._population.get_state()

    def _set_population_state(self, state: Mapping[str, Any]) -> None:
        self._population.set_state(dict(state))
