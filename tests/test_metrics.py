"""What a run was worth; oracles: numbers worked out by hand, and Python's statistics."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.metrics import (
    RunMetrics,
    area_under_curve,
    final_regret,
    rolling_mean,
    run_metrics,
)

RETURNS = st.lists(st.floats(-500, 500), min_size=1, max_size=300)
FUNCTIONS = [
    run_metrics,
    area_under_curve,
    lambda returns: rolling_mean(returns, 5),
    lambda returns: final_regret(returns, 196.0),
]


def test_the_four_metrics_of_a_run():
    """400 episodes of 100, 60 of 200, 40 of 160: the 50-episode mean exceeds 150 once 26 are 200."""
    metrics = run_metrics([100.0] * 400 + [200.0] * 60 + [160.0] * 40, 150.0)
    assert metrics == RunMetrics(
        final_mean=184.0,
        final_std=pytest.approx(np.sqrt(0.6 * 16**2 + 0.4 * 24**2)),
        episodes_to_threshold=426,
        best=200.0,
    )


@given(RETURNS)
def test_the_end_is_the_last_100_episodes_or_all_there_are(returns):
    metrics = run_metrics(returns)
    assert metrics.final_mean == pytest.approx(statistics.fmean(returns[-100:]), abs=1e-9)
    assert metrics.final_std == pytest.approx(statistics.pstdev(returns[-100:]), abs=1e-6)
    assert metrics.best == max(returns)


@given(RETURNS, st.floats(-500, 500))
def test_episodes_to_threshold_is_the_first_full_window_above_it(returns, threshold):
    reached = [n for n in range(50, len(returns) + 1) if np.mean(returns[n - 50 : n]) > threshold]
    assert run_metrics(returns, threshold).episodes_to_threshold == (reached[0] if reached else None)


@pytest.mark.parametrize(
    ("returns", "episodes"),
    [
        ([150.0] * 500, None),  # reached, never exceeded
        ([151.0] * 49, None),  # no window of 50 yet
        ([151.0] * 50, 50),
    ],
)
def test_the_threshold_is_to_be_exceeded_by_a_full_window(returns, episodes):
    assert run_metrics(returns, 150.0).episodes_to_threshold == episodes


def test_without_a_threshold_nothing_reaches_it():
    assert run_metrics([1e300] * 500).episodes_to_threshold is None


@given(RETURNS, st.integers(1, 310))
def test_rolling_means_are_those_of_every_full_window(returns, window):
    means = rolling_mean(returns, window)
    expected = [statistics.fmean(returns[i : i + window]) for i in range(len(returns) - window + 1)]
    assert means.dtype == np.float64
    assert means == pytest.approx(np.array(expected), abs=1e-9)


def test_a_rolling_mean_forgets_a_huge_return():
    assert rolling_mean([1e15, 1.0, 2.0, 3.0], 2)[1:].tolist() == [1.5, 2.5]


def test_area_under_the_curve_is_the_mean_of_all_episodes():
    assert area_under_curve([0.0] * 300 + [200.0] * 100) == 50.0


def test_regret_is_what_the_last_hundred_lost_against_the_optimum():
    assert final_regret([0.0] * 100 + [190.0] * 100, 196.0) == 6.0


def test_integers_and_float32_are_taken():
    assert run_metrics(np.arange(5)).final_mean == 2.0
    assert area_under_curve(np.full(4, 0.1, dtype=np.float32)) == pytest.approx(0.1)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("returns", "error", "complaint"),
    [
        ([], ValueError, r"at least one; got \(0,\)"),
        (np.zeros((2, 3)), ValueError, r"shape \(episodes,\), at least one; got \(2, 3\)"),
        (1.0, ValueError, r"got \(\)"),
        ([1.0, np.nan], ValueError, "returns must be finite; got nan in episode 2"),
        ([np.inf, 1.0], ValueError, "got inf in episode 1"),
        (["1"], TypeError, "returns must be real numbers"),
        ([1j], TypeError, "got complex128"),
    ],
)
def test_returns_that_are_none_are_refused(function, returns, error, complaint):
    with pytest.raises(error, match=complaint):
        function(returns)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: rolling_mean([1.0], 0), "window"),
        (lambda: run_metrics([1.0], np.nan), "threshold"),
        (lambda: final_regret([1.0], np.inf), "optimum"),
    ],
)
def test_other_arguments_are_named_when_wrong(call, name):
    with pytest.raises(ValueError, match=name):
        call()
