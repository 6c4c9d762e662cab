"""Intervals by resampling (Efron 1979): how far a figure would scatter if the same run were repeated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2_000

Interval = tuple[float, float]


def bootstrap(statistic: Callable[..., np.ndarray], *samples: np.ndarray) -> Interval:
    """95 % percentile interval of a statistic of one or several independent samples.

    Args:
        statistic: takes each sample resampled, (RESAMPLES, n) or (RESAMPLES, n, k), and gives (RESAMPLES,).
        samples: (n,), or (n, k) if the k numbers of a row belong together; each has its own n.
    """
    rng = np.random.default_rng(0)  # the same samples, the same interval
    drawn = [sample[rng.integers(len(sample), size=(RESAMPLES, len(sample)))] for sample in samples]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(statistic(*drawn), [tail, 1 - tail])
    return float(low), float(high)


def median(sample: np.ndarray) -> Interval:
    """Interval of the median of a sample (n,)."""
    return bootstrap(lambda drawn: np.median(drawn, axis=1), sample)


def ratio_of_medians(a: np.ndarray, b: np.ndarray) -> Interval:
    """Interval of median(a) / median(b), for samples that were taken apart from each other."""
    return bootstrap(lambda drawn_a, drawn_b: np.median(drawn_a, axis=1) / np.median(drawn_b, axis=1), a, b)


def ratio_of_sums(pairs: np.ndarray) -> Interval:
    """Interval of sum(a) / sum(b), for pairs (n, 2) that were taken side by side."""
    return bootstrap(lambda drawn: drawn[..., 0].sum(axis=1) / drawn[..., 1].sum(axis=1), pairs)
