"""Intervals by resampling (Efron 1979): how far a figure would scatter if the same run were repeated."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.statistics.bootstrap import Interval, bootstrap


def median(sample: np.ndarray) -> Interval:
    """Interval of the median of a sample (n,)."""
    return bootstrap(lambda drawn: np.median(drawn, axis=1), sample)


def ratio_of_medians(a: np.ndarray, b: np.ndarray) -> Interval:
    """Interval of median(a) / median(b), for samples that were taken apart from each other."""
    return bootstrap(lambda drawn_a, drawn_b: np.median(drawn_a, axis=1) / np.median(drawn_b, axis=1), a, b)


def ratio_of_sums(pairs: np.ndarray) -> Interval:
    """Interval of sum(a) / sum(b), for pairs (n, 2) that were taken side by side."""
    return bootstrap(lambda drawn: drawn[..., 0].sum(axis=1) / drawn[..., 1].sum(axis=1), pairs)
