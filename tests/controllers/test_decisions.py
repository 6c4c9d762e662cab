"""Any space as a tree of decisions."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from spaces import SPACES

from nasdqn_fast.controllers._decisions import Decision, Neighbours, Tree
from nasdqn_fast.space import Architecture, SearchSpace


def leaves(at):
    if isinstance(at, Architecture):
        return [at]
    return list(itertools.chain.from_iterable(map(leaves, at.outcomes)))


@given(SPACES)
def test_the_leaves_are_the_space_each_once(space):
    found = leaves(Tree(space).root)
    assert len(found) == len(space)
    assert set(found) == set(space)


@given(SPACES)
def test_every_decision_is_one(space):
    """It has two outcomes at least, each by another value of the same field."""
    tree = Tree(space)
    for number, decision in enumerate(tree.decisions):
        assert decision.number == number
        assert len(decision.outcomes) == len(set(decision.actions)) >= 2
        assert {tree.parts[action][0] for action in decision.actions} == {decision.field}


@given(SPACES)
def test_a_path_leads_to_its_architecture_by_its_own_parts(space):
    tree = Tree(space)
    for architecture in space:
        at = tree.root
        for decision, place in tree.path(architecture):
            assert at is decision
            assert tree.parts[decision.actions[place]] in tree.describe(architecture)
            at = decision.outcomes[place]
        assert at == architecture


def test_the_papers_space_is_decided_by_depth_then_width_then_activation():
    tree = Tree(SearchSpace.paper())
    assert len(tree.decisions) == 1 + 3 + 9
    fields = [decision.field for decision, _ in tree.path(Architecture.parse("3x64-tanh"))]
    assert fields == list(tree.fields) == ["depth", "width", "activation"]
    values = [2, 3, 4, 32, 64, 128, "relu", "tanh", "leaky_relu"]
    assert [value for _, value in tree.parts] == values


def test_unequal_widths_are_decided_layer_by_layer():
    tree = Tree(SearchSpace(["64,32-relu", "32,64-relu", "32,32-relu", "16-tanh"]))
    assert tree.fields == ("depth", "width 1", "width 2", "activation")
    assert [decision.field for decision, _ in tree.path(Architecture.parse("32,64-relu"))] == [
        "depth",
        "width 1",
        "width 2",
    ]
    assert [decision.field for decision, _ in tree.path(Architecture.parse("16-tanh"))] == ["depth"]


def test_a_space_of_one_leaves_nothing_to_decide():
    tree = Tree(SearchSpace(["3x64-relu"]))
    assert tree.decisions == []
    assert not isinstance(tree.root, Decision)


@given(SPACES)
def test_a_mutation_is_another_architecture_of_the_space(space):
    neighbours, rng = Neighbours(space, Tree(space)), np.random.default_rng(0)
    for architecture in space:
        mutant = neighbours.mutate(architecture, rng)
        assert mutant in space
        assert (mutant == architecture) == (neighbours.fields(architecture) == [])


def test_in_a_grid_a_mutation_changes_one_field_and_all_six_are_as_likely():
    """Oracle: the binomial's spread around 1/6; five standard deviations of it."""
    space, rng, draws = SearchSpace.paper(), np.random.default_rng(1), 3_000
    neighbours, origin = Neighbours(space, Tree(space)), Architecture.parse("3x64-relu")
    found = [str(neighbours.mutate(origin, rng)) for _ in range(draws)]
    expected = {"2x64-relu", "4x64-relu", "3x32-relu", "3x128-relu", "3x64-tanh", "3x64-leaky_relu"}
    assert set(found) == expected
    for mutant in expected:
        assert abs(found.count(mutant) - draws / 6) < 5 * np.sqrt(draws * 5 / 36)


@pytest.mark.parametrize(
    ("origin", "field", "value", "nearest"),
    [
        ("2x8-relu", "depth", 3, ["3x8-relu"]),
        ("2x8-relu", "activation", "tanh", ["2x16-tanh"]),  # one more field, and depth may stay
        ("2x8-relu", "depth", 2, ["2x8-relu"]),
    ],
)
def test_the_nearest_differ_in_as_few_fields_as_the_space_allows(origin, field, value, nearest):
    space = SearchSpace(["2x8-relu", "3x8-relu", "2x16-tanh", "3x16-tanh"])
    found = Neighbours(space, Tree(space)).nearest(Architecture.parse(origin), field, value)
    assert list(map(str, found)) == nearest
