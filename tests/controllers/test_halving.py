"""Successive halving and Hyperband: budgets, promotions, and where they are refused."""

import numpy as np
import pytest

from nasdqn_fast.controllers import base
from nasdqn_fast.controllers.halving import hyperband, rungs
from nasdqn_fast.errors import InputError
from nasdqn_fast.run.api import train
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.testing.controllers import result

SPACE = SearchSpace.paper()


def trials(n, score=lambda trial, proposal: float(trial), seed=0, **options):
    """Proposals and scores of the first n trials."""
    controller = base.make("halving", SPACE, np.random.default_rng(seed), options)
    found = []
    for trial in range(1, n + 1):
        proposal = controller.ask()
        found.append((proposal, score(trial, proposal)))
        controller.tell(result(proposal, found[-1][1]))
    return found


def test_a_bracket_of_the_papers_space_spends_exactly_its_budget():
    """27 x 1, 9 x 3, 3 x 9, 1 x 27 units of 25 episodes: 81 trained, as those continued have had a part before."""
    assert rungs(27, 3, 25) == [(27, 25), (9, 75), (3, 225), (1, 675)]
    budgets = [proposal.budget for proposal, _ in trials(40)]
    assert budgets == [25] * 27 + [50] * 9 + [150] * 3 + [450]
    assert sum(budgets) == 81 * 25


@pytest.mark.parametrize(
    ("n", "eta", "counts"),
    [(1, 3, [1]), (2, 3, [2]), (10, 3, [10, 3, 1]), (8, 2, [8, 4, 2, 1]), (100, 4, [100, 25, 6, 1])],
)
def test_of_any_number_one_in_eta_goes_on(n, eta, counts):
    assert rungs(n, eta, 2) == [(count, 2 * eta**rung) for rung, count in enumerate(counts)]


def test_hyperbands_brackets_are_the_papers():
    """Li et al. 2018, table 1, for R = 81 and eta = 3."""
    assert hyperband(81, 3, 1) == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ]


def test_hyperband_runs_its_brackets_one_after_the_other_and_again():
    plan = [rung for bracket in hyperband(27, 3, 25) for rung in bracket]
    one_round = sum(count for count, _ in plan)
    proposals = [proposal for proposal, _ in trials(2 * one_round, rule="hyperband")]
    totals, had = [], {None: 0}
    for trial, proposal in enumerate(proposals, start=1):
        had[trial] = had[proposal.source] + proposal.budget
        totals.append(had[trial])
    expected = [episodes for count, episodes in plan for _ in range(count)]
    assert totals == expected * 2


def test_the_best_go_on_from_their_own_trials():
    """Oracle: the nine best of 27 scores, sorted."""
    scores = np.random.default_rng(1).permutation(100.0 * np.arange(40))
    found = trials(36, lambda trial, proposal: scores[trial - 1])
    first, second = found[:27], found[27:]
    best = sorted(range(27), key=lambda place: -scores[place])[:9]
    assert [(proposal.architecture, proposal.source) for proposal, _ in second] == [
        (first[place][0].architecture, place + 1) for place in best
    ]
    assert all(proposal.source is None for proposal, _ in first)


def test_a_bracket_draws_without_repetition_and_the_next_one_anew():
    found = [proposal.architecture for proposal, _ in trials(80)]
    assert set(found[:27]) == set(found[40:67]) == set(SPACE)
    assert found[:27] != found[40:67]
    few = [proposal.architecture for proposal, _ in trials(5, configurations=5)]
    assert len(set(few)) == 5


def test_a_bracket_begins_with_no_more_than_the_space_has():
    found = [proposal.architecture for proposal, _ in trials(36, configurations=100)]
    assert (len(set(found[:27])), len(set(found[27:]))) == (27, 9)


def test_of_equal_scores_the_older_goes_on():
    found = trials(28, lambda trial, proposal: 1.0)
    assert found[27][0].source == 1


def test_the_online_search_refuses_it_before_it_trains():
    with pytest.raises(
        InputError, match=r"controller nasdqn_fast\.controllers\.halving:Halving continues finished trials"
    ):
        train("halving", env="cartpole", episodes=2)
