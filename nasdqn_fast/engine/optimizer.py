"""The optimizers on compiled kernels: clipped SGD (the paper, section 2.2.3) and clipped Adam."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any, Self

from nasdqn_fast._core.optimizer import OptimizerCore
from nasdqn_fast.copying import Independent
from nasdqn_fast.engine.optimizer_settings import OptimizerSettings


class Optimizer(Independent, OptimizerCore):
    """One rule, w <- w - step(clip(gradient)), and what it remembers from step to step.

    Args:
        kind, learning_rate, clip, beta1, beta2, epsilon, clip_by: see `OptimizerSettings`.

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
        clip_by: str = "element",
    ) -> Self:
        return super().__new__(cls, OptimizerSettings(kind, learning_rate, clip, beta1, beta2, epsilon, clip_by))

    def __repr__(self) -> str:
        about = self.settings
        rule = f"{about.kind}, learning rate {about.resolved_learning_rate:g}, clip {about.clip:g}"
        return f"<{type(self).__name__} {rule}: {self.steps:,} steps>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.settings, self.get_state()), vars(self) or None


def _restored(kind: type[Optimizer], settings: OptimizerSettings, state: dict[str, Any]) -> Optimizer:
    optimizer = Optimizer.__new__(kind, *astuple(settings))
    optimizer.set_state(state)
    return optimizer
