"""Which transitions survive a pruning: exact counts, uniform choice."""

import math
from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from nasdqn_fast.engine.pruning import survivors


@given(st.integers(0, 10_000), st.integers(1, 100))
@example(100, 7)
def test_the_share_that_survives_is_exact_in_decimals(n, percent):
    """0.07 of 100 are 7, though 0.07 * 100 is 7.000000000000001 and its ceiling 8."""
    expected = math.ceil(Fraction(percent, 100) * n)
    assert len(survivors(n, percent / 100, "newest", np.random.default_rng(0))) == expected


def test_random_survivors_are_uniform():
    """Each of 10 stays in half of 2,000 prunings: 1,000 +- 5 standard deviations of 22."""
    rng = np.random.default_rng(0)
    counts = sum(np.bincount(survivors(10, 0.5, "random", rng), minlength=10) for _ in range(2_000))
    assert np.all(np.abs(counts - 1_000) < 5 * 22.4)
