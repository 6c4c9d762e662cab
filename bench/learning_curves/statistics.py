"""Learning curves as numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BINS = 50


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


def quartiles(values: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """The 25th, 50th and 75th percentile."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float(low), float(middle), float(high)
