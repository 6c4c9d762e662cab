"""What follows from ranks alone: tests, which ask nothing of a distribution's shape (SciPy's), and their agreement."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

NORMAL_975 = 1.959963984540054  # quantile of the normal distribution


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


@dataclass(frozen=True)
class RankAgreement:
    """How far two scores order the same things alike.

    Attributes:
        tau: Kendall's tau-b, from -1 to 1; NaN if one of the scores has one value only.
        low, high: ends of its 95 % interval, by Fieller, Hartley and Pearson 1957: atanh(tau) is about normal with
            variance 0.437 / (n - 4); NaN with fewer than ten things.
        n: how many are in both.
    """

    tau: float
    low: float
    high: float
    n: int


def rank_agreement(scores: Mapping[Hashable, float], reference: Mapping[Hashable, float]) -> RankAgreement:
    """Kendall's rank correlation between scores of things, architectures say, and what they are to predict.

    Args:
        scores: thing -> score; the higher the better.
        reference: thing -> score of another kind; things that only one of the two has are left out.

    Raises:
        ValueError: fewer than two things are in both.
    """
    both = [thing for thing in scores if thing in reference]
    if len(both) < 2:
        raise ValueError(f"scores and reference must have at least 2 keys in common; got {len(both)}")
    tau = kendall_tau(np.array([scores[thing] for thing in both]), np.array([reference[thing] for thing in both]))
    if len(both) < 10 or not abs(tau) < 1:
        return RankAgreement(tau, math.nan, math.nan, len(both))
    spread = NORMAL_975 * math.sqrt(0.437 / (len(both) - 4))
    return RankAgreement(tau, math.tanh(math.atanh(tau) - spread), math.tanh(math.atanh(tau) + spread), len(both))


def kendall_tau(a: np.ndarray, b: np.ndarray) -> float:
    """Kendall's tau-b (Kendall 1945): concordant less discordant pairs, over sqrt(pairs untied in a x untied in b).

    Args:
        a, b: (n,), of the same things.

    Returns:
        from -1 to 1; NaN if all numbers of a, or of b, are equal.
    """
    i, j = np.triu_indices(len(a), 1)
    of_a, of_b = np.sign(np.asarray(a)[i] - np.asarray(a)[j]), np.sign(np.asarray(b)[i] - np.asarray(b)[j])
    untied = math.sqrt(np.count_nonzero(of_a) * np.count_nonzero(of_b))
    return float(of_a @ of_b) / untied if untied else math.nan
