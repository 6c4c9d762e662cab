"""Random-NAS."""

from collections import Counter

import numpy as np

from nasdqn_fast.controllers.random import RandomSearch
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.testing.controllers import play

DRAWS = 5_400


def test_every_architecture_is_as_likely():
    """Oracle: the binomial's own spread around 1/27; five standard deviations of it."""
    space = SearchSpace.paper()
    proposals = play(RandomSearch(space, np.random.default_rng(1)), segments=DRAWS)
    counts = Counter(proposal.architecture for proposal in proposals)
    expected = DRAWS / 27
    assert set(counts) == set(space)
    assert max(abs(count - expected) for count in counts.values()) < 5 * np.sqrt(expected * (1 - 1 / 27))
    assert {proposal.reason for proposal in proposals} == {"uniform"}


def test_scores_change_nothing():
    first, second = (RandomSearch(SearchSpace.paper(), np.random.default_rng(2)) for _ in range(2))
    assert play(first, lambda segment: 0.0) == play(second, lambda segment: 200.0 * segment)
