"""The two forms: what they propose, and how they are rewarded."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spaces import SPACES

from nasdqn_fast.controllers._forms import FORMS, Progressive, SingleShot, make_form
from nasdqn_fast.controllers._growth import STOP, Growth
from nasdqn_fast.controllers._scale import RunningScale
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.testing.controllers import result

PAPER = SearchSpace.paper()
STOPS = Growth(PAPER).names.index(STOP)


def walk(form, seed, trials, score=lambda architecture, rng: rng.normal()):
    """Draws actions uniformly: proposals, scores and trajectories, and the scale of the scores."""
    rng, scale = np.random.default_rng(seed), RunningScale()
    proposals, scores, ended = [], [], []

    def choose(state):
        return int(rng.choice(np.flatnonzero(form.allowed[state])))

    for _ in range(trials):
        proposal, before = form.propose(choose)
        scores.append(score(proposal.architecture, rng))
        scale.add(scores[-1])
        proposals.append(proposal)
        ended += [one for one in (before, form.tell(result(proposal, scores[-1]))) if one is not None]
    return proposals, scores, ended, scale


@given(SPACES, st.sampled_from(FORMS), st.integers(0, 9))
def test_every_state_has_an_action_and_every_proposal_is_in_the_space(space, name, seed):
    form = make_form(name, space, max_moves=5)
    assert form.allowed.any(axis=1).all()
    proposals, _, _, _ = walk(form, seed, trials=12)
    assert all(proposal.architecture in space for proposal in proposals)


@given(SPACES, st.sampled_from(FORMS))
def test_a_network_can_tell_all_states_apart(space, name):
    form = make_form(name, space, max_moves=5)
    assert len({tuple(row) for row in form.features}) == len(form.features)


def test_a_single_shot_is_rewarded_at_its_end_by_the_z_score():
    form = SingleShot(PAPER)
    _, scores, ended, scale = walk(form, 0, trials=10)
    for score, trajectory in zip(scores, ended, strict=True):
        z = (score - np.mean(scores)) / np.std(scores)
        assert form.rewards(trajectory, scale) == pytest.approx([0, 0, z])


@given(st.integers(0, 99), st.integers(1, 8))
def test_progressive_rewards_add_up_to_the_gain(seed, max_moves):
    form = Progressive(PAPER, max_moves)
    proposals, scores, ended, scale = walk(form, seed, trials=40)
    starts = [place for place, proposal in enumerate(proposals) if proposal.reason == "start"]
    ends = [*(start - 1 for start in starts[1:])]
    for start, end, trajectory in zip(starts, ends, ended, strict=False):
        gain = (scores[end] - scores[start]) / np.std(scores)
        assert form.rewards(trajectory, scale).sum() == pytest.approx(gain, abs=1e-12)
        assert 1 <= len(trajectory.actions) <= max_moves


def test_progressive_starts_small_and_goes_on_from_where_it_is():
    proposals, _, _, _ = walk(Progressive(PAPER, 8), 0, trials=200)
    moves = Growth(PAPER).moves
    for before, after in itertools.pairwise(proposals):
        if after.reason == "start":
            assert str(after.architecture) == "2x32-relu"
        else:
            assert moves[before.architecture][after.reason] == after.architecture
    assert {"start", "deepen", "widen", "relu", "tanh", "leaky_relu"} == {proposal.reason for proposal in proposals}


def test_progressive_goes_on_from_what_was_really_trained():
    form = Progressive(PAPER, 8)
    wide, deepen = Architecture.parse("2x128-relu"), Growth(PAPER).names.index("deepen")
    start, _ = form.propose(lambda state: 0)
    form.tell(replace(result(start, 1.0), architecture=wide, accepted=False))
    proposal, _ = form.propose(lambda state: deepen)
    assert str(proposal.architecture) == "3x128-relu"


def test_stopping_ends_the_trajectory_without_a_reward():
    form = Progressive(PAPER, 8)
    start, _ = form.propose(lambda state: 0)
    form.tell(result(start, 3.0))
    again, ended = form.propose(lambda state: STOPS)
    assert again == start
    assert (ended.actions, ended.scores) == ([STOPS], [3.0])
    assert form.rewards(ended, RunningScale()) == pytest.approx([0.0])
