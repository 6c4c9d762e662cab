"""Agreement of two scores: its interval is checked by simulation; of tau itself the oracle is in test_kendall."""

import math

import numpy as np
import pytest

from nasdqn_fast.statistics.ranks import score_agreement


def test_only_what_is_in_both_counts():
    agreement = score_agreement({"a": 1, "b": 2, "c": 0}, {"c": 5, "b": 7, "a": 6, "d": 1})
    assert (agreement.tau, agreement.n) == (1.0, 3)
    assert math.isnan(agreement.low)
    with pytest.raises(ValueError, match="at least 2 keys in common; got 1"):
        score_agreement({"a": 1}, {"a": 1, "b": 2})


def test_the_interval_holds_the_true_tau_in_about_95_percent():
    """Oracle: a bivariate normal of correlation r has tau = 2 / pi asin r; 500 samples of 27."""
    rng, r, held = np.random.default_rng(1), 0.6, 0
    for _ in range(500):
        a, b = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], size=27).T
        agreement = score_agreement(dict(enumerate(a)), dict(enumerate(b)))
        held += agreement.low < 2 / np.pi * np.arcsin(r) < agreement.high
    assert 0.92 < held / 500 < 0.99


def test_a_score_of_one_value_agrees_with_nothing_and_has_no_interval():
    agreement = score_agreement(dict.fromkeys(range(12), 1.0), {k: k for k in range(12)})
    assert agreement.tau == 0.0
    assert math.isnan(agreement.low)
    assert math.isnan(agreement.high)
