"""Student's t for means: of one sample, of paired seeds, of two independent samples (Welch 1947); and TOST.

The intervals and p values of one `Estimate` belong together: an interval leaves a number out exactly if the test of
that number rejects it at the same level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nasdqn_fast.statistics.bootstrap import Interval


@dataclass(frozen=True)
class Estimate:
    """A mean, or a difference of means, with what is needed to test it.

    Attributes:
        value: the estimate.
        error: its standard error, >= 0.
        freedom: degrees of freedom of Student's t; 0 if there are too few runs to know the error.
    """

    value: float
    error: float
    freedom: float

    def interval(self, confidence: float) -> Interval:
        """Two-sided interval; without limits if the error is not known."""
        if self.freedom <= 0:
            return -math.inf, math.inf
        if self.error == 0.0:
            return self.value, self.value
        from scipy.special import stdtrit

        reach = float(stdtrit(self.freedom, (1 + confidence) / 2)) * self.error
        return self.value - reach, self.value + reach

    def p(self, hypothesis: float = 0.0) -> float:
        """Two-sided p value of the hypothesis that the true value is this one."""
        if self.freedom <= 0:
            return 1.0
        distance = abs(self.value - hypothesis)
        if self.error == 0.0:
            return float(distance == 0.0)
        return min(1.0, 2 * self._beyond(distance / self.error))

    def p_within(self, low: float, high: float) -> float:
        """Two one-sided tests (Schuirmann 1987): p value of the hypothesis that the true value is outside of a range.

        Small: the true value lies in the range. It is below 5 % exactly if the 90 % interval lies in the range.
        """
        if self.freedom <= 0:
            return 1.0
        if self.error == 0.0:
            return float(not low < self.value < high)
        return max(self._beyond((self.value - low) / self.error), self._beyond((high - self.value) / self.error))

    def _beyond(self, distance: float) -> float:
        """Probability that t is above so many standard errors."""
        from scipy.special import stdtr  # not scipy.stats, which takes seconds to import

        return float(stdtr(self.freedom, -distance))


def one_sample(sample: np.ndarray) -> Estimate:
    """The mean of (runs,)."""
    n = len(sample)
    error = float(np.std(sample, ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    return Estimate(float(np.mean(sample)), error, n - 1)


def paired(a: np.ndarray, b: np.ndarray) -> Estimate:
    """Mean of a less mean of b, for samples whose i-th numbers share a seed."""
    return one_sample(np.asarray(a) - np.asarray(b))


def welch(a: np.ndarray, b: np.ndarray) -> Estimate:
    """Mean of a less mean of b, for independent samples with variances of their own."""
    value = float(np.mean(a) - np.mean(b))
    if min(len(a), len(b)) < 2:
        return Estimate(value, 0.0, 0)
    parts = [float(np.var(sample, ddof=1)) / len(sample) for sample in (a, b)]
    if sum(parts) == 0.0:  # each sample is one number, over and over
        return Estimate(value, 0.0, len(a) + len(b) - 2)
    shares = [part**2 / (len(sample) - 1) for part, sample in zip(parts, (a, b), strict=True)]
    return Estimate(value, math.sqrt(sum(parts)), sum(parts) ** 2 / sum(shares))


def log_ratio(a: np.ndarray, b: np.ndarray, *, pairs: bool) -> Estimate:
    """Logarithm of mean of a over mean of b, by the delta method: numbers > 0.

    Each number counts with its share of its own mean, which is how far it moves the logarithm.

    Args:
        a, b: (runs,) of each, all > 0.
        pairs: whether the i-th numbers share a seed.
    """
    compare = paired if pairs else welch
    moved = compare(a / np.mean(a), b / np.mean(b))
    return Estimate(math.log(float(np.mean(a) / np.mean(b))), moved.error, moved.freedom)
