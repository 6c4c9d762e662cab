"""The offline search. Oracle: what was asked and told, noted here."""

import numpy as np
import pytest

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.search.offline import best_so_far, run_trials
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Cost, Proposal, Result

A, B = Architecture.parse("1x4-relu"), Architecture.parse("2x4-relu")


class Alternating(Controller):
    """A, B, A, ...; notes what it is told."""

    def __init__(self, space, rng):
        super().__init__(space, rng)
        self.told = []

    def propose(self):
        return Proposal(self.space[len(self.told) % 2], "turn")

    def learn(self, result):
        self.told.append(result)


def result_of(architecture, score):
    return Result(Proposal(architecture, "turn"), architecture, score, np.array([score]), Cost(1, 1, 1, 1))


def test_each_trial_is_asked_estimated_and_told_in_turn():
    controller, asked = Alternating(SearchSpace([A, B]), np.random.default_rng(0)), []

    def estimate(proposal):
        asked.append((proposal.architecture, len(controller.told)))
        return result_of(proposal.architecture, float(len(asked)))

    results = run_trials(controller, estimate, 3)
    assert asked == [(A, 0), (B, 1), (A, 2)]
    assert results == controller.told
    assert controller.pending is None


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([(A, 1.0), (B, 2.0)], [A, B]),
        ([(A, 9.0), (B, 6.0), (A, 1.0)], [A, A, B]),  # the highest of all was luck
        ([(B, 3.0), (A, 3.0)], [B, B]),  # the first of equals
    ],
)
def test_the_best_is_that_of_the_highest_mean(scores, best):
    assert best_so_far(scores) == best
