"""The optimizers in plain NumPy: clipped SGD (the paper, section 2.2.3) and clipped Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nasdqn_fast.copying import Independent
from nasdqn_fast.engine.optimizer_settings import OptimizerSettings

# Moments of smaller size than this become zero, as in the kernels, which subnormal numbers would slow down: those of a
# dead ReLU unit's weights shrink by a tenth in each step.
TINY_M, TINY_V = 1e-30, 1e-34


def _flushed(moments: np.ndarray, tiny: float) -> np.ndarray:
    return np.where(np.abs(moments) < tiny, 0.0, moments).astype(moments.dtype)


class Optimizer(Independent):
    """One rule, w <- w - step(clip(gradient)), and what it remembers from step to step.

    Args:
        kind, learning_rate, clip, beta1, beta2, epsilon, clip_by: see `OptimizerSettings`.

    Raises:
        TypeError, ValueError: a setting of the wrong type or out of range.
    """

    def __init__(
        self,
        kind: str = "sgd",
        learning_rate: float | None = None,
        clip: float = 1.0,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        clip_by: str = "element",
    ) -> None:
        self.settings = OptimizerSettings(kind, learning_rate, clip, beta1, beta2, epsilon, clip_by)
        self.learning_rate = self.settings.resolved_learning_rate  # of the next step; a schedule sets it
        self.reset()

    def __repr__(self) -> str:
        about = self.settings
        rule = f"{about.kind}, learning rate {about.resolved_learning_rate:g}, clip {about.clip:g}"
        return f"<{type(self).__name__} {rule}: {self.steps:,} steps>"

    def reset(self) -> None:
        """Forgets all steps."""
        self.steps = 0
        self._m = np.zeros(0)  # Adam's moments; they take the parameters' size at the first step
        self._v = np.zeros(0)

    def step(self, parameters: np.ndarray, gradient: np.ndarray) -> None:
        """Changes `parameters` (P,) in place.

        Raises:
            ValueError: Adam has followed parameters of another size.
        """
        settings = self.settings
        g = self._clipped(gradient)
        self.steps += 1
        if settings.kind == "sgd":
            parameters -= self.learning_rate * g
            return
        if self.steps == 1:
            self._m, self._v = np.zeros_like(parameters), np.zeros_like(parameters)
        if self._m.shape != parameters.shape:
            raise ValueError(
                f"the optimizer has followed {self._m.size} parameters; got {parameters.size}; "
                "call reset() or make a new Optimizer when the network changes"
            )
        # Kingma & Ba 2015, arXiv:1412.6980, algorithm 1
        self._m = _flushed(settings.beta1 * self._m + (1 - settings.beta1) * g, TINY_M)
        self._v = _flushed(settings.beta2 * self._v + (1 - settings.beta2) * g**2, TINY_V)
        m_hat = self._m / (1 - settings.beta1**self.steps)
        v_hat = self._v / (1 - settings.beta2**self.steps)
        parameters -= self.learning_rate * m_hat / (np.sqrt(v_hat) + settings.epsilon)

    def _clipped(self, gradient: np.ndarray) -> np.ndarray:
        clip = self.settings.clip
        if self.settings.clip_by == "element":
            return np.clip(gradient, -clip, clip)
        if self.settings.clip_by == "none":
            return gradient
        scale = clip / (np.linalg.norm(gradient.astype(np.float64)) + 1e-6)
        return gradient * gradient.dtype.type(scale) if scale < 1 else gradient

    def get_state(self) -> dict[str, Any]:
        """What the next step depends on: the count and, for Adam, both moments (P,).

        Raises:
            ValueError: a moment is NaN, which `set_state` would refuse.
        """
        state = {"kind": self.settings.kind, "steps": self.steps, "m": self._m.copy(), "v": self._v.copy()}
        self.settings.checked_state(state)
        return state

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state`.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or another kind's; nothing was changed.
        """
        steps, m, v = self.settings.checked_state(state)
        self.steps, self._m, self._v = steps, m.copy(), v.copy()
