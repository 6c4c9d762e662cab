"""Which transitions survive the pruning of a replay memory, decided once for both backends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nasdqn_fast.validation import check_choice, check_fraction

WHICH = ("newest", "random")


def survivors(n: int, keep: Any, which: Any, rng: np.random.Generator) -> np.ndarray:
    """Positions that stay, of n transitions counted from the oldest: ceil(keep n) of them, ascending.

    Args:
        n: transitions in memory.
        keep: in (0, 1], the share that stays; 0.25 in the paper's Algorithm 1.
        which: ``newest`` (nothing is drawn) or ``random`` (uniform, without replacement).
        rng: drawn from for ``random``.

    Raises:
        TypeError, ValueError: `keep` or `which` of the wrong type or out of range.
    """
    from fractions import Fraction  # here, because a switch can wait for its import and the package's user need not

    # A float product would keep 8 of 100 for 0.07, as 0.07 * 100 is 7.000000000000001.
    kept = math.ceil(Fraction(str(check_fraction("keep", keep))) * n)
    if check_choice("which", which, WHICH) == "newest":
        return np.arange(n - kept, n)
    return np.sort(rng.choice(n, size=kept, replace=False))
