from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasdqn_fast.types import Batch

class ReplayCore:
    rng: np.random.Generator
    def __init__(self, capacity: int, observation_size: int, rng: int | np.random.Generator = 0) -> None: ...
    def __len__(self) -> int: ...
    @property
    def capacity(self) -> int: ...
    @property
    def observation_size(self) -> int: ...
    def add(
        self,
        observation: NDArray[np.float32],
        action: int,
        reward: float,
        next_observation: NDArray[np.float32],
        terminated: bool,
        truncated: bool,
        follows: int = 0,
    ) -> None: ...
    def add_batch(
        self,
        observations: NDArray[np.float32],
        actions: NDArray[np.int64],
        rewards: NDArray[np.float32],
        next_observations: NDArray[np.float32],
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
        *,
        follows: int = 0,
    ) -> None: ...
    def sample(self, n: int, out: Batch | None = None) -> Batch: ...
    def sample_n_step(self, n: int, n_step: int, gamma: float) -> tuple[Batch, NDArray[np.float32]]: ...
    def _keep(self, kept: NDArray[np.int64]) -> None: ...
    def transitions(self, ages: NDArray[np.integer] | None = None) -> Batch: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: dict[str, Any]) -> None: ...
