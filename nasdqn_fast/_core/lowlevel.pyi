import numpy as np
from numpy.typing import NDArray

from nasdqn_fast.types import Batch

def stride(observation_size: int) -> int: ...
def pack(batch: Batch, successors: NDArray[np.int32], observation_size: int) -> NDArray[np.float32]: ...
def unpack(rows: NDArray[np.float32], observation_size: int) -> tuple[Batch, NDArray[np.int32]]: ...
def sample(
    rows: NDArray[np.float32],
    n: int,
    rng: np.random.Generator,
    observation_size: int,
    n_step: int,
    gamma: float,
) -> tuple[Batch, NDArray[np.float32]]: ...
