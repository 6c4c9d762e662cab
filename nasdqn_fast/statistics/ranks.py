"""Tests by ranks, which ask nothing of a distribution's shape, by SciPy; and the agreement of two rankings."""

from __future__ import annotations

import numpy as np


def mann_whitney(a: np.ndarray, b: np.ndarray) -> float:
    """Two-sided p value of the hypothesis that two independent samples have one distribution.

    With three runs of each it cannot be below 0.10.
    """
    from scipy import stats

    if min(len(a), len(b)) == 0:
        return 1.0
    if np.ptp(np.concatenate((a, b))) == 0.0:
        return 1.0  # all equal: SciPy divides by their spread
    return float(stats.mannwhitneyu(a, b).pvalue)


def wilcoxon(a: np.ndarray, b: np.ndarray) -> float:
    """Two-sided p value of the hypothesis that differences of paired seeds are symmetric about zero.

    Pairs without a difference are left out (Wilcoxon 1945).
    """
    from scipy import stats

    differences = np.asarray(a) - np.asarray(b)
    differences = differences[differences != 0]
    return float(stats.wilcoxon(differences).pvalue) if len(differences) else 1.0


def kendall(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Kendall's tau-b: pairs in the same order less pairs in the opposite one, as a share of the pairs that count.

    These are the geometric mean of the pairs without a tie in a and in b. Tau is 1 for one order, -1 for the opposite,
    about 0 for unrelated ones, and 0 where all of a sample are equal, which orders nothing.

    Args:
        a, b: (..., n) of each, n >= 2; leading axes are broadcast.

    Returns:
        float64 (...).
    """
    i, j = np.triu_indices(np.shape(a)[-1], 1)
    of_a, of_b = (np.sign(x[..., i] - x[..., j]) for x in (np.asarray(a), np.asarray(b)))
    pairs = np.sqrt(np.abs(of_a).sum(axis=-1) * np.abs(of_b).sum(axis=-1))
    return np.asarray((of_a * of_b).sum(axis=-1) / np.where(pairs == 0, 1, pairs), np.float64)
