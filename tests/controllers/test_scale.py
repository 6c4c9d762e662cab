"""The running scale; oracle: NumPy's mean and deviation of all scores at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.controllers._scale import RunningScale

SCORES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


def after(scores):
    scale = RunningScale()
    for score in scores:
        scale.add(score)
    return scale


@given(SCORES)
def test_it_is_the_mean_and_deviation_of_all_scores(scores):
    scale = after(scores)
    assert scale.mean == pytest.approx(np.mean(scores), rel=1e-9, abs=1e-6)
    if np.std(scores) > 1e-3:
        assert scale.deviation == pytest.approx(np.std(scores), rel=1e-6)


@pytest.mark.parametrize("scores", [[], [3.0], [1e12] * 5])
def test_without_any_spread_the_deviation_is_one(scores):
    assert after(scores).deviation == 1.0


def test_z_scores_do_not_know_unit_and_origin():
    scores = np.array([3.0, -1.0, 10.0, 4.5])
    one, other = after(scores), after(-400 + 250 * scores)
    assert [one.z(score) for score in scores] == pytest.approx([other.z(-400 + 250 * score) for score in scores])


@given(SCORES, SCORES)
def test_a_restored_scale_goes_on_to_the_same_bits(before, later):
    scale, restored = after(before), RunningScale()
    restored.set_state(scale.get_state())
    for score in later:
        scale.add(score)
        restored.add(score)
    assert restored.get_state() == scale.get_state()
