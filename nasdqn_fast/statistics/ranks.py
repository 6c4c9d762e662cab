"""Tests by ranks, which ask nothing of a distribution's shape; SciPy's."""

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
