from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast._core.network import NetworkCore
from nasdqn_fast._core.optimizer import OptimizerCore
from nasdqn_fast._core.population import PopulationCore
from nasdqn_fast._core.python_lanes import PythonLanes
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.types import Episodes

LANE: np.dtype[np.void]
EPISODE: np.dtype[np.void]

class LoopCore:
    settings: Any
    lanes: NDArray[np.void]
    states: NDArray[np.float64]
    observations: NDArray[np.float32]
    whole: bool
    actors: NDArray[np.int64]
    def __init__(
        self,
        environment: EnvironmentCore | PythonLanes,
        settings: Any,
        env_rng: np.random.Generator,
        policy_rng: np.random.Generator,
        population: PopulationCore | None = None,
        last_episode: int = 0,
    ) -> None: ...
    def use(
        self,
        network: NetworkCore,
        target: NetworkCore | None = None,
        optimizer: OptimizerCore | None = None,
        member: int = 0,
        stand_in: NetworkCore | None = None,
    ) -> None: ...
    @property
    def counters(self) -> tuple[int, int, int]: ...
    @property
    def unreported(self) -> int: ...
    def run(self, n: int, stop: StopToken | None = None) -> Episodes: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: dict[str, Any]) -> None: ...
