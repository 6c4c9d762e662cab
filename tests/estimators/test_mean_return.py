"""Today's score: the mean of a segment's last episodes."""

import numpy as np
import pytest

from nasdqn_fast.estimators.base import apply, make
from nasdqn_fast.testing.estimators import make_segment


@pytest.mark.parametrize(("switch_every", "score"), [(200, 150.5), (100, 150.5), (50, 175.5), (1, 200.0)])
def test_it_is_the_mean_of_the_last_100_or_fewer(switch_every, score):
    """Returns 0, ..., 0, then 101, 102, ..., 200."""
    segment = make_segment((200,), lambda i: 0.0 if i < 100 else i + 1.0, switch_every=switch_every)
    assert apply(make("mean-return"), segment) == score


def test_a_short_segment_is_scored_by_what_it_has():
    assert apply(make("mean-return"), make_segment((5, 2), lambda i: 10.0 * i)) == 55.0


@pytest.mark.parametrize(("episodes", "score"), [(1, 200.0), (2, 199.5), (1000, 100.5)])
def test_how_many_episodes_count_is_an_option(episodes, score):
    segment = make_segment((200,), lambda i: i + 1.0, switch_every=500)
    assert apply(make("mean-return", {"episodes": episodes}), segment) == score


def test_the_bits_are_those_of_numpys_mean():
    returns = np.random.default_rng(0).normal(100, 50, 250)
    segment = make_segment((50, 200), lambda i: returns[i])
    assert apply(make("mean-return"), segment) == np.mean(returns[-100:])
