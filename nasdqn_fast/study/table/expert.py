"""The expert: the best that a search can do which knows the table, but not which architecture is which.

Such a search knows the rows of the table, and so what there is to find, but its names are shuffled: nothing about an
architecture says what it is worth before it is tried. One trial says which row an architecture has, as no two rows
share a score; a second one of the same says nothing more. So the best policy tries a new architecture each time and
answers with the best of them, and its expected final score is exact: that of the best of n drawn without replacement.
Where rows do share scores, this is a bound that no policy exceeds.

Over all ways to shuffle the names no controller does better, whatever it is. On the table as it is, a controller may:
by what depth, width and activation have in common, which is what it can learn beyond luck. The search that knows the
names, too, needs no trial: it has the optimum.
"""

from __future__ import annotations

from math import comb

import numpy as np


def expert_scores(final_scores: np.ndarray, trials: int) -> np.ndarray:
    """The expected final score of the expert after each trial.

    Args:
        final_scores: float64 (architectures,).
        trials: how many, >= 1.

    Returns:
        float64 (trials,): the optimum from as many trials on as there are architectures.
    """
    ascending = np.sort(np.asarray(final_scores, np.float64))
    size = len(ascending)
    expected = np.full(trials, ascending[-1])
    for n in range(1, min(trials, size) + 1):
        # Of the subsets of n, those whose best is the k-th lowest have n - 1 of the k - 1 below it.
        shares = np.array([comb(k, n - 1) / comb(size, n) for k in range(size)])
        expected[n - 1] = shares @ ascending
    return expected
