"""An ensemble of networks on the compiled loop; see `nasdqn_fast.engine.base_ensemble`."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.engine.base_ensemble import BaseEnsemble
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer
from nasdqn_fast.engine.population import DQNPopulation
from nasdqn_fast.engine.replay import ReplayBuffer


class DQNEnsemble(BaseEnsemble[QNetwork, ReplayBuffer, Optimizer], DQNPopulation):
    __doc__ = BaseEnsemble.__doc__

    @property
    def retired(self) -> np.ndarray:
        return self._population.retired

    def _act_by(self, k: int) -> None:
        self._population.act_by(k)

    def _retire(self, k: int) -> None:
        self._population.retire(k)
