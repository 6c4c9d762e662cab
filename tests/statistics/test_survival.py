"""Kaplan-Meier; oracles: a worked example, statsmodels, and plain means where all runs end together."""

import math

import numpy as np
import pytest

from nasdqn_fast.statistics.survival import kaplan_meier


def test_a_small_curve_by_hand():
    """Five runs: 2, 3 (ended), 4, 4, 6: S falls to 4/5 at 2, of three left two go at 4, the last at 6."""
    found = kaplan_meier([2, 3, 4, 4, 6], [True, False, True, True, True], 10)
    assert found.times.tolist() == [2, 4, 6]
    assert found.survival.tolist() == pytest.approx([4 / 5, 4 / 5 / 3, 0])
    assert found.median == 4
    assert found.restricted_mean == pytest.approx(2 + 2 * 4 / 5 + 2 * 4 / 15)
    assert (found.n, found.events) == (5, 4)


def test_curve_median_and_its_interval_are_statsmodels():
    survfunc = pytest.importorskip("statsmodels.duration.survfunc", reason="statsmodels is not installed")
    rng = np.random.default_rng(0)
    drawn = rng.exponential(300, 80).round() + 50
    ends = rng.uniform(200, 2_000, 80).round()
    times, happened = np.minimum(drawn, ends), drawn <= ends
    found, expected = kaplan_meier(times, happened, 2_000), survfunc.SurvfuncRight(times, happened)
    np.testing.assert_allclose(found.survival, expected.surv_prob[np.isin(expected.surv_times, found.times)])
    assert found.median == expected.quantile(0.5)
    low, high = expected.quantile_ci(0.5, method="cloglog")
    assert found.median_interval == pytest.approx((low, high))


def test_without_early_ends_the_restricted_mean_is_that_of_the_shorter():
    """All runs are 2,000 episodes: the mean of min(T, 2,000), with its usual standard error."""
    drawn = np.random.default_rng(1).exponential(1_500, 60)
    found = kaplan_meier(np.minimum(drawn, 2_000), drawn <= 2_000, 2_000)
    shorter = np.minimum(drawn, 2_000)
    assert found.restricted_mean == pytest.approx(shorter.mean())
    assert found.restricted_error == pytest.approx(shorter.std() / math.sqrt(60))
    low, high = found.restricted_interval
    assert low < found.restricted_mean < high <= 2_000


@pytest.mark.parametrize("horizon", [2_000, 300])
def test_where_it_never_happens_there_is_no_median(horizon):
    found = kaplan_meier([300.0] * 4, [False] * 4, horizon)
    assert found.median == math.inf
    assert found.restricted_mean == 300
    assert len(found.times) == found.events == 0


def test_where_it_happens_to_all_at_once_the_curve_is_one_step():
    found = kaplan_meier([250.0] * 3, [True] * 3, 2_000)
    assert (found.times.tolist(), found.survival.tolist(), found.median) == ([250], [0], 250)
    assert found.restricted_mean == 250
    assert found.restricted_error == 0
