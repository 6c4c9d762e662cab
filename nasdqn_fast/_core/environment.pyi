from typing import SupportsIndex

import numpy as np

from nasdqn_fast.envs.kernel import Environment

class EnvironmentCore:
    environment: Environment
    def __init__(self, environment: Environment) -> None: ...
    def reset(self, uniforms: np.ndarray, state: np.ndarray, observation: np.ndarray) -> None: ...
    def step(
        self, uniforms: np.ndarray, state: np.ndarray, action: SupportsIndex, observation: np.ndarray
    ) -> tuple[float, bool]: ...
    def step_batch(
        self,
        states: np.ndarray,
        actions: np.ndarray,
        uniforms: np.ndarray,
        observations: np.ndarray,
        rewards: np.ndarray,
        flags: np.ndarray,
    ) -> None: ...
    def step_sequence(
        self,
        states: np.ndarray,
        actions: np.ndarray,
        uniforms: np.ndarray,
        observations: np.ndarray,
        rewards: np.ndarray,
        flags: np.ndarray,
    ) -> None: ...
