"""Percentile intervals by resampling whole runs (Efron 1979), and the statistics that are resampled.

A statistic takes samples drawn m times, the draws along the last axis, and gives one number a draw. Intervals are for
one task: drawing within each of several (Agarwal et al. 2021, arXiv:2108.13264) is this, task by task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2_000
_DRAWN_AT_ONCE = 1 << 22  # numbers of a sample: 64 MB with their indices
_TRIMMED = 0.25  # of each end, by the interquartile mean

Interval = tuple[float, float]
Statistic = Callable[..., np.ndarray]


def bootstrap(
    statistic: Statistic,
    *samples: np.ndarray,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Percentile interval of a statistic of one or several independent samples.

    Args:
        statistic: takes each sample resampled m times, (m, n) or (m, n, k), and gives (m,).
        samples: (n,), or (n, k) if the k numbers of a row belong together, as those of paired seeds do; each sample
            has its own n.
        rng: of the resampling; None: one with a fixed seed, so that the same samples give the same interval.
        resamples: how many.
        confidence: of the interval.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    values = []
    for m in _parts(resamples, max(map(len, samples))):
        values.append(statistic(*(sample[rng.integers(len(sample), size=(m, len(sample)))] for sample in samples)))
    low, high = np.quantile(np.concatenate(values), _tails(confidence))
    return float(low), float(high)


def mean(sample: np.ndarray) -> np.ndarray:
    """Mean over the last axis."""
    return np.asarray(sample.mean(axis=-1))


def median(sample: np.ndarray) -> np.ndarray:
    """Median over the last axis."""
    return np.asarray(np.median(sample, axis=-1))


def iqm(sample: np.ndarray) -> np.ndarray:
    """Interquartile mean over the last axis: that of what remains without the floor(n / 4) lowest and highest.

    With fewer than four numbers it is the mean (Agarwal et al. 2021, whose library takes scipy's `trim_mean`).
    """
    n = sample.shape[-1]
    cut = int(_TRIMMED * n)
    return np.asarray(np.sort(sample, axis=-1)[..., cut : n - cut].mean(axis=-1))


def difference(statistic: Statistic) -> Statistic:
    """The statistic of a pair of samples: that of the first less that of the second; (m, n, 2) of paired seeds too."""

    def of(*drawn: np.ndarray) -> np.ndarray:
        a, b = drawn if len(drawn) == 2 else (drawn[0][..., 0], drawn[0][..., 1])
        return np.asarray(statistic(a) - statistic(b))

    return of


def improvement(a: np.ndarray, b: np.ndarray) -> float:
    """Probability that a run of the first method is better than one of the second; ties count a half.

    Mann and Whitney's U over the number of pairs; also known as Vargha and Delaney's A.

    Args:
        a, b: (runs,) of each; higher is better.
    """
    order = np.sort(b)
    wins = np.searchsorted(order, a, "left") + np.searchsorted(order, a, "right")
    return float(wins.mean() / (2 * len(b)))


def improvement_interval(
    a: np.ndarray,
    b: np.ndarray,
    *,
    paired: bool = False,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval:
    """`bootstrap` of `improvement`.

    How often a run is drawn is all that counts: running sums in place of a table of pairs a draw.

    Args:
        a, b: (runs,) of each; of one length if paired.
        paired: whether the i-th runs share a seed and are drawn together.
        rng, resamples, confidence: as in `bootstrap`.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    order = np.argsort(b)
    # Of the runs of b in order, how many are below each of a, and how many are not above.
    below, not_above = (np.searchsorted(b[order], a, side) for side in ("left", "right"))
    values = []
    for m in _parts(resamples, max(len(a), len(b))):
        drawn_a = _counts(rng, len(a), m)
        drawn_b = drawn_a if paired else _counts(rng, len(b), m)
        sums = np.zeros((m, len(b) + 1))
        np.cumsum(drawn_b[:, order], axis=1, out=sums[:, 1:])
        values.append((drawn_a * (sums[:, below] + sums[:, not_above])).sum(axis=1) / 2)
    low, high = np.quantile(np.concatenate(values) / (len(a) * len(b)), _tails(confidence))
    return float(low), float(high)


def mean_band(
    curves: np.ndarray,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise interval of a mean curve, from whole runs drawn with replacement.

    Args:
        curves: (runs, points).
        rng, resamples, confidence: as in `bootstrap`.

    Returns:
        low and high, (points,) each.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    parts = _parts(resamples, len(curves))
    means = np.concatenate([_counts(rng, len(curves), m) @ curves / len(curves) for m in parts])
    low, high = np.quantile(means, _tails(confidence), axis=0)
    return low, high


def _parts(resamples: int, n: int) -> Iterator[int]:
    """How many resamples of n numbers to draw at once."""
    at_once = max(1, _DRAWN_AT_ONCE // n)
    for done in range(0, resamples, at_once):
        yield min(at_once, resamples - done)


def _counts(rng: np.random.Generator, n: int, resamples: int) -> np.ndarray:
    """(resamples, n): how often each of n runs is drawn."""
    drawn = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def _tails(confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    return tail, 1 - tail
