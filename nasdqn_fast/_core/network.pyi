from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nasdqn_fast._core.block import ParameterBlock
from nasdqn_fast._core.normalizer import NormalizerCore
from nasdqn_fast._core.optimizer import OptimizerCore

class NetworkCore:
    block: ParameterBlock
    cpu_target: str
    normalizer_core: NormalizerCore | None
    def __new__(cls, sizes: Sequence[int], activation: str, *args: object, **kwargs: object) -> Self: ...
    def _forward(self, x: NDArray[np.float32]) -> NDArray[np.float32]: ...
    def _loss_and_gradient(
        self,
        observations: NDArray[np.float32],
        actions: NDArray[np.integer],
        targets: NDArray[np.float32],
        huber_delta: float,
        loss_kind: str,
        weights: NDArray[np.float32] | None = None,
    ) -> tuple[float, ParameterBlock]: ...
    def _fit(
        self,
        x: NDArray[np.float32],
        q: NDArray[np.float32],
        rows: NDArray[np.integer],
        optimizer: OptimizerCore,
        difference_weight: float,
    ) -> float: ...
    def _use_normalizer(self, normalizer: NormalizerCore | None) -> None: ...
    _base: tuple[tuple[NetworkCore, float], ...]
    def _set_base(self, base: Sequence[tuple[NetworkCore, float]]) -> None: ...
    def _apply_gradient(self, gradient: ParameterBlock, optimizer: OptimizerCore) -> None: ...
