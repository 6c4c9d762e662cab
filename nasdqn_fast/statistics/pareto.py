"""The Pareto front: what nothing else beats in both value and cost."""

from __future__ import annotations

import numpy as np


def pareto_front(costs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which points are not dominated: none costs no more and is worth no less, and is better in one of the two.

    Args:
        costs: float64 (n,), the lower the better.
        values: float64 (n,), the higher the better.

    Returns:
        bool (n,); of equal points both or neither; False where a number is NaN.
    """
    front = np.zeros(len(costs), bool)
    best = -np.inf
    known = np.flatnonzero(~(np.isnan(costs) | np.isnan(values)))
    # By cost, of equal costs the highest value first: on the front is whatever exceeds all that is cheaper.
    order = known[np.lexsort((-values[known], costs[known]))]
    last: tuple[float, float] | None = None
    for k in order.tolist():
        point = float(costs[k]), float(values[k])
        if point[1] > best or point == last:
            front[k], best, last = True, point[1], point
    return front
