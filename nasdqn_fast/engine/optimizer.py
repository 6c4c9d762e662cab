"""The optimizers on compiled kernels: clipped SGD (the paper, section 2.2.3) and clipped Adam."""

from __future__ import annotations

from typing import Self

from nasdqn_fast._core.optimizer import OptimizerCore
from nasdqn_fast.engine.optimizer_settings import OptimizerSettings


class Optimizer(OptimizerCore):
    """One rule, w <- w - step(clip(gradient)), and what it remembers from step to step.

    Args:
        kind, learning_rate, clip, beta1, beta2, epsilon: see `OptimizerSettings`.

    Raises:
        TypeError, ValueError: a setting of the wrong type or out of range.
    """

    def __new__(
        cls,
        kind: str = "sgd",
        learning_rate: float | None = None,
        clip: float = 1.0,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> Self:
        return super().__new__(cls, OptimizerSettings(kind, learning_rate, clip, beta1, beta2, epsilon))

    def __repr__(self) -> str:
        about = self.settings
        rule = f"{about.kind}, learning rate {about.resolved_learning_rate:g}, clip {about.clip:g}"
        return f"<{type(self).__name__} {rule}: {self.steps:,} steps>"
