"""Every interval by simulation: how often it holds the truth, of runs as they are here: skewed, with failures."""

import math

import numpy as np
import pytest
from scipy import stats

from nasdqn_fast.statistics.bootstrap import bootstrap, difference, improvement_interval, iqm, mean, median
from nasdqn_fast.statistics.means import log_ratio, one_sample, paired, welch
from nasdqn_fast.statistics.multiple import holm_confidences
from nasdqn_fast.statistics.shares import wilson
from nasdqn_fast.statistics.survival import kaplan_meier

pytestmark = pytest.mark.slow
TRIALS = 1_000
SPREAD = 3 * math.sqrt(0.05 * 0.95 / TRIALS)  # of a simulated coverage: 0.021


def returns(rng, n, better=0.0):
    """Of runs of which a tenth fail: near 190, or spread below."""
    return np.where(rng.random(n) < 0.1, rng.uniform(80, 180, n), rng.normal(190 + better, 4, n))


def population(better=0.0):
    return returns(np.random.default_rng(99), 1_000_000, better)


ALL = population()
ALL_BETTER = population(3.0)


def coverage(interval, truth, seed=0, trials=TRIALS):
    rng = np.random.default_rng(seed)
    held = 0
    for _ in range(trials):
        low, high = interval(rng)
        held += low <= truth <= high
    return held / trials


# A percentile interval of the mean is too short for few runs: by a factor sqrt((n - 1) / n), and because many samples
# hold no failure (0.9^10 = 35 % of those of ten). These are the figures of docs/report.md.
@pytest.mark.parametrize(
    ("statistic", "n", "expected"),
    [
        (mean, 10, 0.62),
        (mean, 30, 0.86),
        (mean, 100, 0.93),
        (iqm, 10, 0.90),
        (iqm, 30, 0.93),
        (iqm, 100, 0.93),
        (median, 30, 0.94),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_the_bootstraps(statistic, n, expected):
    found = coverage(lambda rng: bootstrap(statistic, returns(rng, n), rng=rng, resamples=500), statistic(ALL))
    assert found == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("statistic", [mean, iqm], ids=lambda function: function.__name__)
def test_the_bootstrap_of_a_difference(statistic):
    def interval(rng):
        return bootstrap(difference(statistic), returns(rng, 30, 3.0), returns(rng, 40), rng=rng, resamples=500)

    assert 0.90 <= coverage(interval, statistic(ALL_BETTER) - statistic(ALL)) <= 0.985


def test_the_bootstrap_of_a_difference_of_paired_seeds():
    def interval(rng):
        shared = rng.normal(0, 10, 30)
        pairs = np.column_stack([shared + returns(rng, 30, 3.0), shared + returns(rng, 30)])
        return bootstrap(difference(mean), pairs, rng=rng, resamples=500)

    assert 0.87 <= coverage(interval, mean(ALL_BETTER) - mean(ALL)) <= 0.985


@pytest.mark.parametrize("pairs", [False, True])
def test_the_probability_of_improvement(pairs):
    rng = np.random.default_rng(1)
    truth = np.mean(rng.permutation(ALL_BETTER) > rng.permutation(ALL))

    def interval(rng):
        return improvement_interval(returns(rng, 40, 3.0), returns(rng, 40), paired=pairs, rng=rng, resamples=500)

    assert 0.92 <= coverage(interval, truth) <= 0.985


@pytest.mark.parametrize("n", [3, 10, 100])
def test_students_interval_is_exact_for_normal_runs(n):
    for interval in (
        lambda rng: one_sample(rng.normal(2, 3, n)).interval(0.95),
        lambda rng: paired(rng.normal(5, 3, n), rng.normal(3, 1, n)).interval(0.95),
    ):
        assert coverage(interval, 2.0) == pytest.approx(0.95, abs=SPREAD)


@pytest.mark.parametrize("n", [10, 100])
def test_welchs_interval_is_near_its_confidence(n):
    assert coverage(lambda rng: welch(rng.normal(5, 3, n), rng.normal(3, 1, n + 5)).interval(0.95), 2.0) == (
        pytest.approx(0.95, abs=SPREAD)
    )


@pytest.mark.parametrize(("n", "least"), [(10, 0.90), (30, 0.92), (100, 0.93)])
def test_students_interval_of_a_difference_holds_where_runs_fail(n, least):
    found = coverage(lambda rng: paired(returns(rng, n, 3.0), returns(rng, n)).interval(0.95), 3.0 * 0.9, trials=3_000)
    assert least <= found <= 0.99


def test_the_ratio_of_means():
    def interval(rng):
        return log_ratio(rng.gamma(4, 3, 30), rng.gamma(9, 1, 30), pairs=False).interval(0.95)

    assert coverage(interval, math.log(12 / 9)) == pytest.approx(0.95, abs=SPREAD)


@pytest.mark.parametrize(("share", "n"), [(0.1, 10), (0.1, 100), (0.5, 30)])
def test_wilsons_interval(share, n):
    """Exactly, over all outcomes: it scatters about its confidence, for shares are whole numbers of runs."""
    held = [low <= share <= high for low, high in (wilson(hits, n) for hits in range(n + 1))]
    assert 0.92 <= np.sum(stats.binom.pmf(np.arange(n + 1), n, share) * held) <= 0.99


def test_holms_intervals_hold_together():
    """Of four contrasts of which none differs, all intervals hold zero in 95 % of studies."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(TRIALS):
        first = rng.normal(size=20)
        estimates = [paired(first, rng.normal(size=20)) for _ in range(4)]
        confidences = holm_confidences([estimate.p() for estimate in estimates])
        intervals = [estimate.interval(level) for estimate, level in zip(estimates, confidences, strict=True)]
        held += all(low <= 0 <= high for low, high in intervals)
    assert held / TRIALS >= 0.95 - SPREAD


def censored(rng, n=40):
    drawn, ends = rng.exponential(1_000, n), rng.uniform(500, 3_000, n)
    return kaplan_meier(np.minimum(drawn, ends), drawn <= ends, 2_000)


def test_kaplan_meiers_median():
    assert 0.90 <= coverage(lambda rng: censored(rng).median_interval, 1_000 * math.log(2)) <= 0.985


def test_kaplan_meiers_restricted_mean():
    found = coverage(lambda rng: censored(rng).restricted_interval, 1_000 * (1 - math.exp(-2)))
    assert 0.89 <= found <= 0.97


def test_kaplan_meiers_share():
    def interval(rng):
        curve = censored(rng)
        last = np.searchsorted(curve.times, 700, side="right") - 1
        return curve.low[last], curve.high[last]

    assert 0.90 <= coverage(interval, math.exp(-0.7)) <= 0.985
