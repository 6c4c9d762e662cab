"""The gain over the segment before."""

import pytest

from nasdqn_fast.estimators.base import apply, make
from nasdqn_fast.testing.estimators import make_segment


def test_it_is_the_mean_at_the_end_minus_that_at_the_end_of_the_segment_before():
    """Returns 0, 1, ..., 399: the means of the last 100 of each half are 349.5 and 149.5."""
    assert apply(make("improvement"), make_segment((200, 200), lambda i: i)) == 200.0


def test_of_more_segments_only_the_last_two_matter():
    assert apply(make("improvement"), make_segment((50, 200, 200), lambda i: -1e9 if i < 50 else i)) == 200.0


@pytest.mark.parametrize(
    ("episodes", "gain"),
    [
        (200, 149.5 - 9.5),  # the last 100 over the first 20
        (10, 4.5 - 0.0),  # the whole segment over its first episode
        (5, 2.0 - 0.0),  # a tenth would be none
        (1, 0.0),
    ],
)
def test_the_first_segments_gain_is_over_its_own_first_tenth(episodes, gain):
    assert apply(make("improvement"), make_segment((episodes,), lambda i: i)) == gain


@pytest.mark.parametrize(("switch_every", "episodes"), [(3, 100), (200, 3)])
def test_as_many_episodes_count_as_are_asked_for_and_m_at_most(switch_every, episodes):
    """Of 0, ..., 9 and 10, ..., 19 the last three: 8 and 18 on average."""
    segment = make_segment((10, 10), lambda i: i**2, switch_every=switch_every)
    expected = (17**2 + 18**2 + 19**2) / 3 - (7**2 + 8**2 + 9**2) / 3
    assert apply(make("improvement", {"episodes": episodes}), segment) == pytest.approx(expected)


def test_segments_of_unlike_length_use_what_each_has():
    assert apply(make("improvement"), make_segment((2, 4), lambda i: i)) == (2 + 3 + 4 + 5) / 4 - 0.5
