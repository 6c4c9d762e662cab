"""Running statistics of observations, in plain NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from nasdqn_fast.engine.base_normalizer import LIMIT, PRIOR, BaseNormalizer
from nasdqn_fast.validation import check_positive_int


class Normalizer(BaseNormalizer):
    __doc__ = BaseNormalizer.__doc__

    def __init__(self, size: int) -> None:
        self._size = check_positive_int("size", size)
        self._set(PRIOR, np.zeros(self._size), np.ones(self._size))

    @property
    def size(self) -> int:
        return self._size

    @property
    def count(self) -> float:
        return self._count

    @property
    def mean(self) -> np.ndarray:
        return self._mean.copy()

    @property
    def variance(self) -> np.ndarray:
        return self._variance.copy()

    def normalized(self, x: np.ndarray, dtype: DTypeLike) -> np.ndarray:
        """Observations (N, size) as a network of this dtype sees them."""
        center, scale = self.center_and_scale(dtype)
        with np.errstate(over="ignore"):  # what is infinite is clipped
            return np.clip((x - center) * scale, -LIMIT, LIMIT)

    def _update(self, observations: np.ndarray) -> None:
        """The statistics of two sets from those of each (Chan, Golub & LeVeque 1983)."""
        n, rows = len(observations), observations.astype(np.float64)
        total = self._count + n
        mean = rows.sum(axis=0) / n
        squares = ((rows - mean) ** 2).sum(axis=0)
        delta = mean - self._mean
        squares += self._variance * self._count + delta * delta * self._count * n / total
        self._set(total, self._mean + delta * n / total, squares / total)

    def _set(self, count: float, mean: np.ndarray, variance: np.ndarray) -> None:
        self._count, self._mean, self._variance = count, mean.copy(), variance.copy()
