from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

def aligned_zeros(shape: int | tuple[int, ...], dtype: DTypeLike = ...) -> NDArray[Any]: ...

class ParameterBlock:
    array: NDArray[np.float32]
    sizes: tuple[int, ...]
    length: int
    weights: list[NDArray[np.float32]]
    biases: list[NDArray[np.float32]]
    parameters: NDArray[np.float32]
    def __init__(self, sizes: Sequence[int]) -> None: ...
