"""Tests by ranks, which ask nothing of a distribution's shape, by SciPy; and the agreement of two rankings."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from nasdqn_fast.statistics.survival import Z


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


@dataclass(frozen=True)
class RankAgreement:
    """How far two scores order the same things alike.

    Attributes:
        tau: Kendall's tau-b, from -1 to 1, as `kendall`.
        low, high: ends of its 95 % interval, by Fieller, Hartley and Pearson 1957: atanh(tau) is about normal with
            variance 0.437 / (n - 4); NaN with fewer than ten things, and if one of the scores has one value only.
        n: how many are in both.
    """

    tau: float
    low: float
    high: float
    n: int


def score_agreement(scores: Mapping[Hashable, float], reference: Mapping[Hashable, float]) -> RankAgreement:
    """Kendall's rank correlation between scores of things, architectures say, and what they are to predict.

    Args:
        scores: thing -> score; the higher the better.
        reference: thing -> score of another kind; things that only one of the two has are left out.

    Raises:
        ValueError: fewer than two things are in both.
    """
    both = [thing for thing in scores if thing in reference]
    n = len(both)
    if n < 2:
        raise ValueError(f"scores and reference must have at least 2 keys in common; got {n}")
    a, b = (np.array([of[thing] for thing in both], np.float64) for of in (scores, reference))
    tau = float(kendall(a, b))
    if n < 10 or not np.ptp(a) or not np.ptp(b) or abs(tau) >= 1:
        return RankAgreement(tau, math.nan, math.nan, n)
    spread = Z * math.sqrt(0.437 / (n - 4))
    return RankAgreement(tau, math.tanh(math.atanh(tau) - spread), math.tanh(math.atanh(tau) + spread), n)
