from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nasdqn_fast._core.network import NetworkCore

class SupernetCore:
    def __init__(
        self,
        shared: NetworkCore,
        paths: Sequence[NetworkCore],
        heads: Sequence[int],
        largest: int,
        smallest: int,
        drawn: int,
        sandwich: bool,
        distill: bool,
    ) -> None: ...
    def use_odds(self, odds: NDArray[np.float64]) -> None: ...
    def read(self, path: int) -> None: ...
