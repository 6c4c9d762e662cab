"""Greedy episodes on held-out starts; what they are in a run is tested with the search loop."""

import pytest

from nasdqn_fast.estimators.base import apply, make
from nasdqn_fast.testing.estimators import make_segment


@pytest.mark.parametrize(("options", "episodes"), [({}, 20), ({"episodes": 3}, 3)])
def test_it_is_the_mean_of_so_many_greedy_episodes(options, episodes):
    asked = []

    def evaluate(n):
        asked.append(n)
        return 12.5

    assert apply(make("greedy", options), make_segment((5,), evaluate=evaluate)) == 12.5
    assert asked == [episodes]
