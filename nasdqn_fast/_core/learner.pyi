from typing import Any

from nasdqn_fast._core.network import NetworkCore
from nasdqn_fast._core.optimizer import OptimizerCore
from nasdqn_fast._core.replay import ReplayCore
from nasdqn_fast._core.supernet import SupernetCore

class LearnerCore:
    replay: ReplayCore
    def __init__(self, replay: ReplayCore, settings: Any, n_actions: int, caches_targets: bool = True) -> None: ...
    def use(self, network: NetworkCore, target: NetworkCore, optimizer: OptimizerCore) -> None: ...
    def use_supernet(self, supernet: SupernetCore) -> None: ...
