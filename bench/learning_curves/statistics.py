"""Learning curves as numbers, and whether two sets of them are the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 50
CONFIDENCE = 0.95


def curve(ends: np.ndarray, returns: np.ndarray, steps: int, bins: int = BINS) -> np.ndarray:
    """Return by environment step: every step counts with the return of its episode.

    Steps of an episode that did not end count with that of the one before it, and steps after the run's are left out:
    Stable-Baselines3 plays some more where `train_freq` does not divide their number. The mean over the bins is the
    area under the curve, divided by the number of steps.

    Args:
        ends: [episodes] steps done when each episode ended, ascending.
        returns: [episodes] undiscounted return of each.
        steps: of the run, a multiple of `bins`.
        bins: equal parts of the run.

    Returns:
        [bins] mean over the steps of each part.
    """
    if steps % bins:
        raise ValueError(f"steps must be a multiple of {bins}, got {steps}")
    if not len(ends):
        raise ValueError("expected an episode or more")
    areas = np.concatenate(([0.0], np.cumsum(returns * np.diff(ends, prepend=0))))
    knots = np.concatenate(([0], ends))
    if ends[-1] < steps:
        areas = np.append(areas, areas[-1] + returns[-1] * (steps - ends[-1]))
        knots = np.append(knots, steps)
    edges = np.linspace(0, steps, bins + 1)
    return np.diff(np.interp(edges, knots, areas)) / (steps / bins)


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided Welch tests (TOST) of whether two means differ by less than a margin.

    Attributes:
        difference: mean of ours less mean of the originals.
        low, high: 90 % interval of the difference; within the margin, the means are equivalent at the 5 % level.
        margin: as given.
        p: of the hypothesis that they differ by the margin or more.
        p_same: two-sided, of the hypothesis that they are the same (Welch).
    """

    difference: float
    low: float
    high: float
    margin: float
    p: float
    p_same: float

    @property
    def equivalent(self) -> bool:
        return self.p < 0.05


def equivalence(ours: np.ndarray, originals: np.ndarray, margin: float) -> Equivalence:
    """TOST of two independent samples with variances of their own.

    Args:
        ours, originals: [runs] of each, two or more.
        margin: largest difference of the means that does not matter, > 0.
    """
    from scipy import stats

    parts = [np.var(sample, ddof=1) / len(sample) for sample in (ours, originals)]
    error = math.sqrt(sum(parts))
    difference = float(np.mean(ours) - np.mean(originals))
    if error == 0.0:  # each sample is one number, over and over
        same = float(difference == 0.0)
        return Equivalence(difference, difference, difference, margin, float(abs(difference) >= margin), same)
    shares = [part**2 / (len(sample) - 1) for part, sample in zip(parts, (ours, originals), strict=True)]
    t = stats.t(sum(parts) ** 2 / sum(shares))
    p = max(t.sf((difference + margin) / error), t.cdf((difference - margin) / error))
    reach = float(t.ppf(0.95)) * error
    p_same = 2 * t.sf(abs(difference) / error)
    return Equivalence(difference, difference - reach, difference + reach, margin, float(p), float(p_same))


def band(curves: np.ndarray, rng: np.random.Generator, resamples: int = 10_000) -> tuple[np.ndarray, np.ndarray]:
    """95 % percentile bootstrap interval of the mean curve, from whole runs drawn with replacement.

    Args:
        curves: [runs, bins].
        rng: of the resampling.
        resamples: how many.

    Returns:
        low and high, [bins] each.
    """
    n = len(curves)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=resamples)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(counts @ curves / n, (tail, 1 - tail), axis=0)
    return low, high


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    z = 1.959963984540054
    share, spread = successes / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def quartiles(values: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """The 25th, 50th and 75th percentile."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float(low), float(middle), float(high)
