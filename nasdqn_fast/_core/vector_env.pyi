from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike

from nasdqn_fast._core.environment import EnvironmentCore

class VectorEnvCore:
    states: np.ndarray
    observations: np.ndarray
    lengths: np.ndarray
    ended: np.ndarray
    generators: list[np.random.Generator | None]
    def __init__(self, core: EnvironmentCore, n: int, mode: str, copy: bool) -> None: ...
    def set_generator(self, row: int, generator: np.random.Generator) -> None: ...
    def reset(
        self, rows: Iterable[int], start: Callable[[np.ndarray, np.ndarray, np.ndarray], None] | None = None
    ) -> np.ndarray: ...
    def restore(self, states: np.ndarray, observations: np.ndarray, lengths: np.ndarray, ended: np.ndarray) -> None: ...
    def set_states(self, states: ArrayLike) -> None: ...
    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]: ...
