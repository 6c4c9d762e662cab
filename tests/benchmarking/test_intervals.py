"""Intervals against closed forms."""

import numpy as np
import pytest

from nasdqn_fast.benchmarking import intervals


def test_the_interval_of_a_median_has_the_width_of_theory():
    """Of n normal numbers the median's standard error tends to sqrt(pi / 2 n) sigma."""
    sample = np.random.default_rng(1).normal(10.0, 2.0, 2_000)
    low, high = intervals.median(sample)
    assert low < 10.0 < high
    assert high - low == pytest.approx(2 * 1.96 * 2.0 * np.sqrt(np.pi / 2 / 2_000), rel=0.25)


def test_the_interval_of_a_ratio_of_medians_adds_both_errors():
    rng = np.random.default_rng(2)
    a, b = rng.normal(200.0, 2.0, 1_000), rng.normal(100.0, 1.0, 1_000)
    low, high = intervals.ratio_of_medians(a, b)
    relative = 0.01 * np.sqrt(np.pi / 2 / 1_000) * np.sqrt(2)
    assert low < 2.0 < high
    assert high - low == pytest.approx(2 * 1.96 * 2.0 * relative, rel=0.25)


def test_pairs_stay_together():
    """The ratio is 2 in every pair, however far the pairs scatter."""
    b = np.random.default_rng(3).uniform(1, 100, 50)
    assert intervals.ratio_of_sums(np.column_stack([2 * b, b])) == pytest.approx((2.0, 2.0))


def test_the_same_samples_give_the_same_interval():
    sample = np.random.default_rng(4).normal(size=20)
    assert intervals.median(sample) == intervals.median(sample.copy())


def test_one_value_has_an_interval_of_nothing():
    assert intervals.median(np.array([3.0])) == (3.0, 3.0)
