"""Which networks of a population give way, and what comes in their place."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.engine import backends
from nasdqn_fast.search.generation import CandidateSpace, inherited, replacements
from nasdqn_fast.space import Architecture, SearchSpace, Setup, parse_setup

PAPER = CandidateSpace(SearchSpace.paper())


@given(st.lists(st.floats(0, 10), min_size=1, max_size=9), st.integers(0, 100))
def test_the_best_stays_and_parents_are_no_worse_than_the_median_loser(losses, seed):
    losses = np.array(losses)
    pairs = replacements(losses, np.random.default_rng(seed))
    gone, parents = [k for k, _ in pairs], [parent for _, parent in pairs]
    assert int(np.argmin(losses)) not in gone
    assert len(set(gone)) == len(gone)
    assert not set(gone) & set(parents)
    # A tournament of three (or of all, if they are fewer) has a loser or two that are no better.
    for parent in parents:
        assert np.sum(losses >= losses[parent]) >= min(3, len(losses))


def test_tournaments_are_of_three():
    """Oracle: of five, every three are drawn as often, so that network k of rank r wins C(4 - r, 2) of C(5, 3)."""
    losses, n = np.array([0.3, 0.1, 0.5, 0.2, 0.4]), 2_000
    rng = np.random.default_rng(0)
    stays = Counter()
    for _ in range(n):
        gone = {k for k, _ in replacements(losses, rng)}
        stays.update({*range(5)} - gone)
    wins = Counter(min(three, key=losses.__getitem__) for three in combinations(range(5), 3))
    for k in range(5):
        expected = 1.0 if k == 1 else 1 - (1 - wins[k] / 10) ** 4
        assert abs(stays[k] / n - expected) < 4 * np.sqrt(expected * (1 - expected) / n) + 1e-9


def test_of_one_network_nothing_goes_and_of_two_the_worse():
    rng = np.random.default_rng(0)
    assert replacements(np.array([1.0]), rng) == []
    assert replacements(np.array([1.0, 0.5]), rng) == [(0, 1)]


def test_a_change_is_one_step_in_one_thing():
    rng = np.random.default_rng(1)
    kinds = Counter()
    for _ in range(400):
        new = PAPER.changed(Architecture.parse("3x64-relu"), rng)
        kinds["activation" if new.activation != "relu" else "depth" if new.depth != 3 else "width"] += 1
        assert str(new) in {*("3x64-tanh", "3x64-leaky_relu"), *("2x64-relu", "4x64-relu"), "3x32-relu", "3x128-relu"}
    # Half of all changes are of the activation; of the rest, four of five are of the width.
    for kind, share in {"activation": 0.5, "width": 0.4, "depth": 0.1}.items():
        assert abs(kinds[kind] / 400 - share) < 4 * np.sqrt(share * (1 - share) / 400)


@given(st.sampled_from([*SearchSpace.paper()]), st.integers(0, 50))
def test_a_change_stays_in_the_space_and_is_one(architecture, seed):
    new = PAPER.changed(architecture, np.random.default_rng(seed))
    assert new in PAPER.architectures
    assert new != architecture


def test_a_space_of_one_changes_nothing():
    one = Architecture.parse("2x8-relu")
    assert CandidateSpace(SearchSpace([one])).changed(one, np.random.default_rng(0)) == one


def test_unequal_widths_have_neighbours_too():
    space = CandidateSpace(SearchSpace(["8,4-relu", "8,8-relu", "64,64-relu", "16,8,8-relu"]))
    rng = np.random.default_rng(0)
    found = {str(space.changed(Architecture.parse("2x8-relu"), rng)) for _ in range(60)}
    assert found == {"8,4-relu", "2x64-relu", "16,8,8-relu"}


def test_optimizer_and_learning_rate_join_the_space():
    space = CandidateSpace(SearchSpace(["2x8-relu"]), ("sgd", "adam"), (1e-4, 1e-2))
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(400)]
    assert {one.optimizer for one in drawn} == {"sgd", "adam"}
    logarithms = np.log10([one.learning_rate for one in drawn])
    assert logarithms.min() >= -4
    assert logarithms.max() <= -2
    assert abs(logarithms.mean() + 3) < 4 * 2 / np.sqrt(12 * 400)  # uniform on a scale of logarithms
    one = parse_setup("2x8-relu+sgd+lr=0.001")
    changed = {space.changed(one, rng) for _ in range(60)}
    rates = sorted(other.learning_rate for other in changed if other.optimizer == "sgd")
    assert rates == pytest.approx([8e-4, 1.2e-3])
    assert Setup((8, 8), "relu", "adam", 1e-3) in changed
    assert len(changed) == 3
    at_the_edge = {space.changed(Setup((8, 8), "relu", "sgd", 1e-2), rng).learning_rate for _ in range(40)}
    assert sorted(at_the_edge) == [pytest.approx(8e-3), 1e-2]
    nearly = {space.changed(Setup((8, 8), "relu", "sgd", 9e-3), rng).learning_rate for _ in range(40)}
    assert max(nearly) == 1e-2


@pytest.mark.parametrize("backend", backends.NAMES)
@pytest.mark.parametrize("text", ["2x6-tanh", "2x4-relu", "2x9-relu", "3x6-relu", "1x6-relu"])
def test_a_copy_inherits_leading_blocks_and_a_head_of_the_same_layer(backend, text):
    old = backends.find(backend).QNetwork("2x6-relu", 3, 2, 0)
    new = inherited(old, Architecture.parse(text), np.random.default_rng(1))
    fresh = old.like(text, np.random.default_rng(1))
    depth, same_depth = min(2, new.architecture.depth), new.architecture.depth == 2
    for layer in range(len(new.weights)):
        expected = fresh.weights[layer].copy()
        if layer < depth or same_depth:
            rows, columns = (min(sizes) for sizes in zip(old.weights[layer].shape, expected.shape, strict=True))
            expected[:rows, :columns] = old.weights[layer][:rows, :columns]
        np.testing.assert_array_equal(new.weights[layer], expected)
    if text == "2x6-tanh":
        np.testing.assert_array_equal(new.parameters, old.parameters)
