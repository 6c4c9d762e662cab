"""Where one more run will lie, which is not where the mean of many does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHARE = 0.9


@dataclass(frozen=True)
class Prediction:
    """A range for the next run.

    Attributes:
        low, high: its ends.
        share: probability that one more run lies in it: the one asked for, or less if there were too few runs.
    """

    low: float
    high: float
    share: float


def prediction_interval(sample: np.ndarray, share: float = SHARE) -> Prediction:
    """Where a share of further runs lie, whatever their distribution.

    One more run lies between the k-th lowest and the k-th highest of n with probability (n + 1 - 2k) / (n + 1) (Wilks
    1941); in between it is interpolated. Below 19 runs not even the extremes hold 90 %: then these are given, with what
    they hold, (n - 1) / (n + 1).

    Args:
        sample: (runs,), one or more.
        share: between 0 and 1.
    """
    n = len(sample)
    tail = (1 - share) / 2
    low, high = np.quantile(sample, (tail, 1 - tail), method="weibull")
    return Prediction(float(low), float(high), min(share, (n - 1) / (n + 1)))
