"""Agreement of ranks: SciPy is the oracle, and the interval is checked by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from nasdqn_fast.statistics.ranks import kendall_tau, rank_agreement


@pytest.mark.parametrize("values", [100, 4])
def test_tau_is_scipys_with_and_without_ties(values):
    rng = np.random.default_rng(0)
    for n in (2, 5, 27):
        a, b = rng.integers(values, size=(2, n)).astype(float)
        if len(set(a)) > 1 and len(set(b)) > 1:
            assert kendall_tau(a, b) == pytest.approx(stats.kendalltau(a, b).statistic)


def test_tau_of_a_constant_is_undefined():
    assert math.isnan(kendall_tau(np.ones(5), np.arange(5)))


def test_only_what_is_in_both_counts():
    agreement = rank_agreement({"a": 1, "b": 2, "c": 0}, {"c": 5, "b": 7, "a": 6, "d": 1})
    assert (agreement.tau, agreement.n) == (1.0, 3)
    assert math.isnan(agreement.low)
    with pytest.raises(ValueError, match="at least 2 keys in common; got 1"):
        rank_agreement({"a": 1}, {"a": 1, "b": 2})


def test_the_interval_holds_the_true_tau_in_about_95_percent():
    """Oracle: a bivariate normal of correlation r has tau = 2 / pi asin r; 500 samples of 27."""
    rng, r, held = np.random.default_rng(1), 0.6, 0
    for _ in range(500):
        a, b = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], size=27).T
        agreement = rank_agreement(dict(enumerate(a)), dict(enumerate(b)))
        held += agreement.low < 2 / np.pi * np.arcsin(r) < agreement.high
    assert 0.92 < held / 500 < 0.99
