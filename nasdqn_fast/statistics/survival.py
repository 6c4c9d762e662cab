"""How long until something happens, where some runs ended before it did (Kaplan and Meier 1958)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nasdqn_fast.statistics.bootstrap import Interval

Z = 1.959963984540054  # of 95 %


@dataclass(frozen=True, eq=False)
class KaplanMeier:
    """A survival curve.

    Attributes:
        times: (steps,) ascending, when something happened to a run.
        survival: (steps,) share to which it has not happened after that time.
        low, high: (steps,) 95 % interval of the share (log-log, Kalbfleisch and Prentice 1980).
        median: when it has happened to half of the runs; infinite if it has not.
        median_interval: 95 % interval of the median (Brookmeyer and Crowley 1982); its upper end may be infinite.
        restricted_mean: mean time until it happens, or until `horizon` at the latest: the area under the curve.
        restricted_error: standard error of that (Greenwood's).
        horizon: as given.
        n, events: runs, and how many of them it happened to.
    """

    times: np.ndarray
    survival: np.ndarray
    low: np.ndarray
    high: np.ndarray
    median: float
    median_interval: Interval
    restricted_mean: float
    restricted_error: float
    horizon: float
    n: int
    events: int

    @property
    def restricted_interval(self) -> Interval:
        """95 % interval of the restricted mean, by the normal distribution."""
        reach = Z * self.restricted_error
        return max(0.0, self.restricted_mean - reach), min(self.horizon, self.restricted_mean + reach)


def kaplan_meier(times: np.ndarray, happened: np.ndarray, horizon: float) -> KaplanMeier:
    """The curve of a sample.

    Args:
        times: float64 (runs,), when it happened, or when the run ended without.
        happened: bool (runs,).
        horizon: end of the restricted mean.
    """
    times, happened = np.asarray(times, dtype=np.float64), np.asarray(happened, dtype=bool)
    at, died = np.unique(times[happened], return_counts=True)
    at_risk = len(times) - np.searchsorted(np.sort(times), at)
    survival = np.cumprod(1 - died / at_risk)
    greenwood = died / (at_risk * np.maximum(at_risk - died, 1))
    low, high = _log_log_interval(survival, greenwood)
    mean, error = _restricted_mean(at, survival, greenwood, min(horizon, times.max()))
    return KaplanMeier(
        at,
        survival,
        low,
        high,
        _first_at_most_half(at, survival),
        # Where a bound of the share crosses a half, a bound of the median does.
        (_first_at_most_half(at, low), _first_at_most_half(at, high)),
        mean,
        error,
        horizon,
        len(times),
        int(happened.sum()),
    )


def _first_at_most_half(times: np.ndarray, survival: np.ndarray) -> float:
    reached = np.flatnonzero(survival <= 0.5)
    return float(times[reached[0]]) if len(reached) else math.inf


def _log_log_interval(survival: np.ndarray, greenwood: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """S^exp(+-z s), s the standard error of log(-log S); where S is 0 there is none, and 0 is given."""
    log = np.log(np.where(survival > 0, survival, 0.5))
    reach = Z * np.sqrt(np.cumsum(greenwood)) / -log
    inside = survival > 0
    return tuple(np.where(inside, np.exp(log * np.exp(sign * reach)), 0.0) for sign in (1, -1))  # type: ignore[return-value]


def _restricted_mean(at: np.ndarray, survival: np.ndarray, greenwood: np.ndarray, end: float) -> tuple[float, float]:
    """Area under the curve up to the end, and its standard error: the root of the sum of A_i^2 d_i / (n_i (n_i - d_i)).

    A_i is the area after the i-th time, d_i how many it happened to then, n_i how many were left before (Klein and
    Moeschberger 2003, section 4.5). Where nobody is left, nothing comes after: A_i = 0.
    """
    inside = at < end
    areas = np.diff(np.concatenate(([0.0], at[inside], [end]))) * np.concatenate(([1.0], survival[inside]))
    after = areas.sum() - np.cumsum(areas)[:-1]
    return float(areas.sum()), float(np.sqrt((after**2 * greenwood[inside]).sum()))
