"""Metrics of a run: the paper's four (Rahmani et al. 2025, section 2.4), and a few more.

Every `returns` is float64 (episodes,), or a list: the undiscounted return of each episode of a run or
segment, in order; at least one, all finite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasdqn_fast.validation import check_finite, check_positive_int

FINAL_EPISODES = 100
ROLLING_WINDOW = 50  # episodes

Returns = np.ndarray | Sequence[float]


@dataclass(frozen=True)
class RunMetrics:
    """The paper's four metrics of one run.

    Args:
        final_mean: mean return of the last 100 episodes, or of all if there are fewer.
        final_std: standard deviation of the same (ddof 0); the paper's stability.
        episodes_to_threshold: episodes played when the mean of the last 50 first exceeded the
            environment's threshold. None if it never did: the number is censored at the run's length;
            averaging only the runs that got there would flatter. None, too, if there is no threshold.
        best: the best single return.
    """

    final_mean: float
    final_std: float
    episodes_to_threshold: int | None
    best: float


def run_metrics(returns: Returns, threshold: float | None = None) -> RunMetrics:
    """The paper's four metrics.

    Args:
        returns: of the run.
        threshold: mean return at which the environment counts as solved, None where nothing is agreed on;
            150 on the paper's pendulum.

    Raises:
        TypeError, ValueError: as `rolling_mean`, or a threshold that is not a finite number.
    """
    returns = _checked(returns)
    final = returns[-FINAL_EPISODES:]
    # Nothing exceeds an infinite threshold.
    threshold = np.inf if threshold is None else check_finite("threshold", threshold)
    above = np.flatnonzero(rolling_mean(returns, ROLLING_WINDOW) > threshold)
    return RunMetrics(
        final_mean=float(final.mean()),
        final_std=float(final.std()),
        episodes_to_threshold=int(above[0]) + ROLLING_WINDOW if len(above) else None,
        best=float(returns.max()),
    )


def rolling_mean(returns: Returns, window: int) -> np.ndarray:
    """Means over `window` episodes; entry i is that of episodes i to i + window - 1.

    Returns:
        float64 (episodes - window + 1,), empty if there are fewer episodes than `window`.

    Raises:
        TypeError: not numbers.
        ValueError: returns that are empty, not finite or not one-dimensional, or a window below 1.
    """
    returns, window = _checked(returns), check_positive_int("window", window)
    if len(returns) < window:
        return np.empty(0)
    # Each window summed afresh: the difference of two running sums would lose digits over a long run.
    return np.lib.stride_tricks.sliding_window_view(returns, window).mean(axis=1)


def area_under_curve(returns: Returns) -> float:
    """Mean return over all episodes: the area under the learning curve for each episode.

    Raises:
        TypeError, ValueError: as `rolling_mean`.
    """
    return float(_checked(returns).mean())


def final_regret(returns: Returns, optimum: float) -> float:
    """How far the last 100 episodes stayed below the best possible mean return; luck can make it negative.

    Raises:
        TypeError, ValueError: as `rolling_mean`, or an optimum that is not a finite number.
    """
    return check_finite("optimum", optimum) - run_metrics(returns).final_mean


def _checked(returns: Returns) -> np.ndarray:
    array = np.asarray(returns)
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise TypeError(f"returns must be real numbers; got {array.dtype}; pass one number an episode")
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"returns must have shape (episodes,), at least one; got {array.shape}; pass one run at a time"
        )
    finite = np.isfinite(array)
    if not finite.all():
        first = int(np.argmin(finite))
        raise ValueError(
            f"returns must be finite; got {array[first]} in episode {first + 1}; find why the run diverged"
        )
    return array.astype(np.float64)
