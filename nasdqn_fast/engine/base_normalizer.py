"""What the native normalizer of observations and its NumPy twin have in common: everything but the arithmetic."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from nasdqn_fast.copying import Independent
from nasdqn_fast.errors import OutOfRange
from nasdqn_fast.validation import check_all_finite, check_array, check_finite, check_observations

# Weight of the mean 0 and the variance 1 that the statistics start with, as in Stable-Baselines3.
PRIOR = 1e-4
EPSILON = 1e-8  # added to the variance, so that a number that never changes is not divided by zero
LIMIT = 10
# Means of smaller size are applied as zero, as in the kernels: as float32 they could be subnormal.
TINY_MEAN = 1e-30


class BaseNormalizer(Independent, ABC):
    """Running mean and variance of observations, and observations that are normalized by them.

    A network that has one takes raw observations x and works on clip((x - mean) / sqrt(variance + 1e-8), -10, 10), as
    behind Stable-Baselines3's ``VecNormalize(norm_reward=False)``.

    Args:
        size: numbers in an observation.

    Raises:
        TypeError, ValueError: `size` is of the wrong type or out of range.
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of observations of {self.size}: {round(self.count):,} seen>"

    @property
    @abstractmethod
    def size(self) -> int:
        """Numbers in an observation."""

    @property
    @abstractmethod
    def count(self) -> float:
        """Observations so far, and 1e-4, the weight of the mean 0 and the variance 1 that it started with."""

    @property
    @abstractmethod
    def mean(self) -> np.ndarray:
        """A copy of the mean, float64 (size,)."""

    @property
    @abstractmethod
    def variance(self) -> np.ndarray:
        """A copy of the variance, float64 (size,)."""

    @property
    def has_seen(self) -> bool:
        """Whether there has been an observation."""
        return self.count > PRIOR

    def center_and_scale(self, dtype: DTypeLike) -> tuple[np.ndarray, np.ndarray]:
        """c and s, (size,) each, of clip((x - c) * s, -10, 10), as a network of this dtype applies them."""
        mean = self.mean
        center = np.where(np.abs(mean) < TINY_MEAN, 0, mean).astype(dtype)
        return center, (1 / np.sqrt(self.variance + EPSILON)).astype(dtype)

    def update(self, observations: np.ndarray) -> None:
        """Takes observations into the statistics.

        Args:
            observations: float32 (N, size).

        Raises:
            TypeError, ValueError: of the wrong type or shape, or not finite; nothing was changed.
        """
        observations = check_all_finite("observations", check_observations(observations, self.size))
        if len(observations):
            self._update(observations)

    @abstractmethod
    def _update(self, observations: np.ndarray) -> None:
        """The same, of one or more observations that are valid."""

    @abstractmethod
    def _set(self, count: float, mean: np.ndarray, variance: np.ndarray) -> None:
        """Continues from these statistics."""

    def copy(self) -> Self:
        """An independent copy."""
        other = type(self)(self.size)  # type: ignore[call-arg]
        other._set(self.count, self.mean, self.variance)
        return other

    def get_state(self) -> dict[str, Any]:
        """Plain values and arrays; both backends read them."""
        return {"count": self.count, "mean": self.mean, "variance": self.variance}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state`.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or one of another size; nothing was changed.
        """
        count = check_finite("normalizer_count", state["count"])
        mean, variance = (
            check_all_finite(name, check_array(name, state[key], (self.size,), np.float64))
            for name, key in (("normalizer_mean", "mean"), ("normalizer_variance", "variance"))
        )
        if count < PRIOR:
            raise OutOfRange("normalizer_count", f">= {PRIOR}", str(count))
        if (variance < 0).any():
            raise OutOfRange("normalizer_variance", ">= 0", str(variance.min()))
        self._set(count, mean, variance)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.size, self.get_state())


def _restored(kind: type[BaseNormalizer], size: int, state: Mapping[str, Any]) -> BaseNormalizer:
    normalizer = kind(size)  # type: ignore[call-arg]
    normalizer.set_state(state)
    return normalizer
