"""t, ranks, shares and several at once; oracles: SciPy's and statsmodels' own functions, enumeration."""

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from nasdqn_fast.statistics.means import Estimate, log_ratio, one_sample, paired, welch
from nasdqn_fast.statistics.multiple import holm, holm_confidences
from nasdqn_fast.statistics.ranks import mann_whitney, wilcoxon
from nasdqn_fast.statistics.shares import wilson


def samples(shift=0.0, n=20, m=20):
    rng = np.random.default_rng(1)
    return rng.normal(shift, 1.5, size=n), rng.normal(0, 1, size=m)


@pytest.mark.parametrize("shift", [0.0, 0.9, -3.0])
def test_welchs_test_and_interval_are_scipys(shift):
    a, b = samples(shift, 100, 20)
    found, expected = welch(a, b), stats.ttest_ind(a, b, equal_var=False)
    assert found.p() == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.interval(0.95) == pytest.approx(tuple(expected.confidence_interval(0.95)))


@pytest.mark.parametrize("shift", [0.0, 0.9])
def test_the_paired_test_and_interval_are_scipys(shift):
    a, b = samples(shift)
    found, expected = paired(a, b), stats.ttest_rel(a, b)
    assert found.p() == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.interval(0.9) == pytest.approx(tuple(expected.confidence_interval(0.9)))
    assert one_sample(a).p(0.3) == pytest.approx(stats.ttest_1samp(a, 0.3).pvalue, rel=1e-9)


@pytest.mark.parametrize(("shift", "equivalent"), [(0.0, True), (0.9, False), (-3.0, False)])
def test_tost_is_statsmodels(shift, equivalent):
    weightstats = pytest.importorskip("statsmodels.stats.weightstats", reason="statsmodels is not installed")
    a, b = samples(shift, 60, 40)
    for found, p in (
        (welch(a, b), weightstats.ttost_ind(a, b, -1.0, 1.0, usevar="unequal")[0]),
        (paired(a[:40], b), weightstats.ttost_paired(a[:40], b, -1.0, 1.0)[0]),
    ):
        assert found.p_within(-1.0, 1.0) == pytest.approx(p, rel=1e-9)
        low, high = found.interval(0.90)
        assert (found.p_within(-1.0, 1.0) < 0.05) == (low > -1 and high < 1) == equivalent


@pytest.mark.parametrize(("value", "equivalent"), [(1.0, True), (1.25, True), (1.5, False)])
def test_runs_that_all_end_alike_are_compared_without_a_spread(value, equivalent):
    found = welch(np.full(3, value), np.ones(2))
    assert (found.p_within(-0.5, 0.5) < 0.05, found.p()) == (equivalent, float(value == 1.0))
    assert found.interval(0.95) == (value - 1, value - 1)


def test_of_one_run_nothing_is_sure():
    for found in (welch(np.ones(1), np.zeros(5)), paired(np.ones(1), np.zeros(1)), one_sample(np.ones(1))):
        assert found.interval(0.95) == (-math.inf, math.inf)
        assert found.p() == found.p_within(-9, 9) == 1.0


def test_the_log_of_a_ratio_has_the_interval_of_many_simulated_ratios():
    rng = np.random.default_rng(5)
    ratios = [np.log(rng.gamma(4, 3, 50).mean() / rng.gamma(9, 1, 50).mean()) for _ in range(2_000)]
    found = [log_ratio(rng.gamma(4, 3, 50), rng.gamma(9, 1, 50), pairs=False) for _ in range(100)]
    assert np.mean([estimate.error for estimate in found]) == pytest.approx(np.std(ratios), rel=0.05)
    a = rng.gamma(4, 3, 50)
    assert log_ratio(2 * a, a, pairs=True) == Estimate(pytest.approx(math.log(2)), pytest.approx(0, abs=1e-12), 49)


def test_ranks_are_scipys_also_where_nothing_differs():
    a, b = samples(0.5)
    assert mann_whitney(a, b) == stats.mannwhitneyu(a, b).pvalue
    assert wilcoxon(a, b) == stats.wilcoxon(a, b).pvalue
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert mann_whitney(np.ones(3), np.ones(4)) == wilcoxon(np.ones(3), np.ones(3)) == 1.0


def test_three_runs_of_each_cannot_differ_by_ranks():
    assert mann_whitney(np.array([1.0, 2, 3]), np.array([4.0, 5, 6])) == pytest.approx(0.1)


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (7, 20), (20, 20), (68, 100)])
def test_wilsons_interval_solves_its_equation(hits, n):
    """Its ends are the shares q from which the one found is 1.96 standard errors sqrt(q (1 - q) / n) away."""
    z = stats.norm.ppf(0.975)
    ends = np.roots([1 + z**2 / n, -(2 * hits / n + z**2 / n), (hits / n) ** 2])
    assert wilson(hits, n) == pytest.approx(sorted(ends.real), abs=1e-9)


def test_the_share_of_none_may_be_any():
    assert wilson(0, 0) == (0.0, 1.0)


def test_holms_correction_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]).tolist() == []


def test_holms_correction_is_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest", reason="statsmodels is not installed")
    p = np.random.default_rng(8).uniform(0, 0.3, 9)
    p[3] = p[4]
    assert holm(p) == pytest.approx(multitest.multipletests(p, method="holm")[1])


def test_holms_intervals_leave_zero_out_exactly_where_holm_rejects():
    rng = np.random.default_rng(7)
    for _ in range(20):
        estimates = [one_sample(rng.normal(rng.choice([0, 0.5, 1]), 1, 12)) for _ in range(5)]
        p = [estimate.p() for estimate in estimates]
        for estimate, rejected, confidence in zip(estimates, holm(p) <= 0.05, holm_confidences(p), strict=True):
            low, high = estimate.interval(confidence)
            assert (low > 0 or high < 0) == rejected
