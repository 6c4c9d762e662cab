"""Shares of runs, such as those that failed."""

from __future__ import annotations

from nasdqn_fast.statistics.bootstrap import Interval


def wilson(hits: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's interval (1927) of a share; of none of none, from 0 to 1."""
    from scipy import stats

    if n == 0:
        return 0.0, 1.0
    low, high = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    return float(low), float(high)
