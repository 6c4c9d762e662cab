"""Prioritized experience replay in plain NumPy, proportional (Schaul et al. 2016, arXiv:1511.05952)."""

from __future__ import annotations

import numpy as np

# Bounds of a stored priority, as the kernels have them: each transition can be drawn, and no priority is subnormal.
LEAST, LARGEST = 1e-30, 1e38


def priorities_of(td_errors: np.ndarray, alpha: float, epsilon: float) -> np.ndarray:
    """p_i = (|delta_i| + epsilon)^alpha, float64 (n,)."""
    return bounded((np.abs(td_errors.astype(np.float64)) + epsilon) ** alpha)


def bounded(priorities: np.ndarray) -> np.ndarray:
    """The priorities, moved to the bounds."""
    return np.clip(priorities, LEAST, LARGEST)


def draw(priorities: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Slots int64 (n,), the i-th with a uniform number from the i-th of n equal parts of the sum (appendix B.2.1).

    Args:
        priorities: float64, of all stored transitions.
        n: how many.
        rng: n uniforms are drawn from it.
    """
    sums = np.cumsum(priorities)
    x = (np.arange(n) + rng.random(n)) * (sums[-1] / n)
    return np.searchsorted(sums, np.minimum(x, np.nextafter(sums[-1], 0)), side="right")


def importance_weights(drawn: np.ndarray, beta: float) -> np.ndarray:
    """w_i = (N P(i))^-beta / max_j w_j over the minibatch (section 3.4), in which N and the sum cancel.

    Args:
        drawn: the priorities of the minibatch, (n,).
        beta: in [0, 1].
    """
    return (drawn.min() / drawn) ** beta
