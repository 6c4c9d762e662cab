from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

def draw(low: int, high: int, n: int) -> NDArray[np.int64]: ...
def take(array: NDArray[Any], steps: NDArray[np.int64], lanes: NDArray[np.int64]) -> NDArray[Any]: ...
def put(array: NDArray[Any], step: int, values: ArrayLike) -> None: ...
def can_walk(rewards: NDArray[Any], dones: NDArray[Any], timeouts: NDArray[Any], steps: NDArray[Any]) -> bool: ...
def walk(
    rewards: NDArray[np.float32],
    dones: NDArray[np.float32],
    timeouts: NDArray[np.float32],
    steps: NDArray[np.int64],
    lanes: NDArray[np.int64],
    length: int,
    newest: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]: ...
