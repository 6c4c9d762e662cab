"""Several tests at once: Holm's step-down correction (1979), and intervals that agree with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Adjusted p values: those below alpha are rejected, and of all true hypotheses one is with probability <= alpha.

    Returns:
        float64 (tests,), in the order given.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    # The k-th smallest times how many are left, and never below the one before it. statsmodels has the same, but
    # collects garbage in every call: 50 ms in place of microseconds.
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def holm_confidences(p_values: Sequence[float], alpha: float = 0.05) -> np.ndarray:
    """Confidences at which each test's interval leaves its hypothesis out exactly if Holm rejects it.

    The k-th smallest of m p values is compared with alpha / (m - k + 1), until one is not rejected; that one and all
    after it have the level at which the steps ended.

    Returns:
        float64 (tests,), in the order given.
    """
    p = np.asarray(p_values, dtype=np.float64)
    levels = np.empty(len(p))
    level, stopped = alpha / max(len(p), 1), False
    for k, i in enumerate(np.argsort(p, kind="stable")):
        if not stopped:
            level = alpha / (len(p) - k)
            stopped = bool(p[i] > level)
        levels[i] = level
    return 1 - levels
