"""Running statistics of observations, in compiled code."""

from __future__ import annotations

from typing import Self

import numpy as np

from nasdqn_fast._core.normalizer import NormalizerCore
from nasdqn_fast.engine.base_normalizer import PRIOR, BaseNormalizer
from nasdqn_fast.validation import check_positive_int


class Normalizer(BaseNormalizer, NormalizerCore):
    __doc__ = BaseNormalizer.__doc__

    def __new__(cls, size: int) -> Self:
        size = check_positive_int("size", size)
        self = super().__new__(cls, size)
        self._set(PRIOR, np.zeros(size), np.ones(size))
        return self

    size = NormalizerCore.size
    count = NormalizerCore.count
    mean = NormalizerCore.mean
    variance = NormalizerCore.variance
    _update = NormalizerCore._update
    _set = NormalizerCore._set
