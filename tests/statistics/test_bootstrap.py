"""The bootstrap; oracles: rliable's results (tests/data/make_rliable.py), SciPy, standard errors from theory."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from nasdqn_fast.statistics import bootstrap as module
from nasdqn_fast.statistics.bootstrap import (
    bootstrap,
    difference,
    improvement,
    improvement_interval,
    iqm,
    mean,
    mean_band,
    median,
)

RLIABLE = json.loads((Path(__file__).parents[1] / "data" / "rliable.json").read_text())
STATISTICS = {"iqm": iqm, "mean": mean, "median": median}


@pytest.fixture(params=RLIABLE)
def golden(request):
    entry = RLIABLE[request.param]
    return entry, np.array(entry["a"]), np.array(entry["b"])


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics_and_their_intervals_are_rliables(golden, name):
    entry, a, _ = golden
    assert STATISTICS[name](a) == pytest.approx(entry[name]["value"], rel=1e-12)
    found = bootstrap(STATISTICS[name], a, resamples=6_000)
    # Quantiles of 6,000 draws scatter by a few hundredths of the interval's width.
    assert found == pytest.approx(entry[name]["interval"], abs=0.05 * np.ptp(entry[name]["interval"]) + 1e-9)


def test_the_probability_of_improvement_is_rliables(golden):
    entry, a, b = golden
    assert improvement(a, b) == pytest.approx(entry["improvement"]["value"], rel=1e-12)
    found = improvement_interval(a, b)
    # rliable's are quantiles of 2,000 draws.
    assert found == pytest.approx(entry["improvement"]["interval"], abs=0.05)


@pytest.mark.parametrize("n", [1, 3, 4, 7, 8, 101])
def test_the_interquartile_mean_is_scipys_trimmed_mean(n):
    runs = np.random.default_rng(n).normal(size=(5, n))
    np.testing.assert_allclose(iqm(runs), stats.trim_mean(runs, 0.25, axis=1), rtol=1e-12)


def test_improvement_is_mann_whitneys_u_over_the_pairs():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, 30), rng.integers(0, 5, 20)
    assert improvement(a, b) == pytest.approx(stats.mannwhitneyu(a, b).statistic / 600)


def test_the_interval_of_a_mean_has_the_width_of_theory():
    """The standard error of the mean of n numbers is sigma / sqrt(n)."""
    sample = np.random.default_rng(1).normal(10.0, 2.0, 1_000)
    low, high = bootstrap(mean, sample)
    assert low < sample.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * sample.std() / np.sqrt(1_000), rel=0.1)


def test_a_bootstrap_in_parts_has_the_same_interval(monkeypatch):
    sample = np.random.default_rng(2).normal(size=30)
    whole = bootstrap(mean, sample)
    parts = []
    monkeypatch.setattr(module, "_DRAWN_AT_ONCE", 30 * 700)
    assert bootstrap(lambda drawn: parts.append(len(drawn)) or drawn.mean(axis=1), sample) == whole
    assert parts == [700, 700, 600]


def test_paired_seeds_are_drawn_together():
    """The difference is 3 in every seed, however far the seeds scatter."""
    b = np.random.default_rng(3).uniform(1, 100, 50)
    for statistic in (mean, iqm):
        assert bootstrap(difference(statistic), np.column_stack([b + 3, b])) == pytest.approx((3.0, 3.0))
    low, high = bootstrap(difference(mean), b + 3, b)
    assert low < -5
    assert high > 10


def test_a_pair_of_equal_methods_draws_even():
    a = np.random.default_rng(4).normal(size=40)
    assert improvement_interval(a, a, paired=True) == pytest.approx((0.5, 0.5))
    low, high = improvement_interval(a, a)
    # The standard error of U over the pairs is sqrt((n + m + 1) / 12 n m).
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(81 / (12 * 1600)), rel=0.1)


def test_nothing_draws_from_the_global_generator():
    a = np.random.default_rng(5).normal(size=20)
    assert bootstrap(mean, a) == bootstrap(mean, a)
    assert bootstrap(mean, a, rng=np.random.default_rng(1)) != bootstrap(mean, a, rng=np.random.default_rng(2))


def test_bands_are_as_wide_as_the_standard_error_says():
    curves = np.random.default_rng(2).normal(5, 2, size=(400, 3))
    low, high = mean_band(curves)
    reach = 1.96 * curves.std(axis=0) / 20
    np.testing.assert_allclose(low, curves.mean(axis=0) - reach, atol=0.03)
    np.testing.assert_allclose(high, curves.mean(axis=0) + reach, atol=0.03)


def test_bands_resample_whole_runs():
    """Two runs that mirror each other: in every resample the parts of the mean curve mirror each other, too."""
    low, high = mean_band(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    assert low.tolist() == (-high).tolist() == [-1, -1]
