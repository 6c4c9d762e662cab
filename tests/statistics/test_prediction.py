"""Where one more run lies."""

import numpy as np
import pytest

from nasdqn_fast.statistics.prediction import Prediction, prediction_interval


def test_nineteen_runs_hold_the_next_between_their_extremes_in_nine_of_ten():
    runs = np.random.default_rng(0).normal(size=19)
    assert prediction_interval(runs) == Prediction(runs.min(), runs.max(), pytest.approx(0.9))


@pytest.mark.parametrize(("n", "share"), [(1, 0.0), (3, 0.5), (10, 9 / 11), (18, 17 / 19)])
def test_fewer_runs_hold_less_and_say_so(n, share):
    runs = np.random.default_rng(n).normal(size=n)
    assert prediction_interval(runs) == Prediction(runs.min(), runs.max(), pytest.approx(share))


@pytest.mark.parametrize("n", [3, 19, 30, 99])
def test_the_share_is_kept_whatever_the_distribution(n):
    """By simulation: exponential, so that nothing is symmetric."""
    rng = np.random.default_rng(n)
    found = []
    for _ in range(400):
        prediction = prediction_interval(rng.exponential(size=n))
        found.append(np.exp(-prediction.low) - np.exp(-prediction.high))
    # Between order statistics it is interpolated: exact to a few thousandths; four standard errors are 0.02 at most.
    assert np.mean(found) == pytest.approx(prediction.share, abs=0.04 if n == 3 else 0.02)
