"""Aging evolution."""

from dataclasses import replace

import numpy as np

from nasdqn_fast.controllers.evolution import Evolution
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.testing.controllers import play, result

SPACE = SearchSpace.paper()


def make(seed=0, **options):
    return Evolution(SPACE, np.random.default_rng(seed), Evolution.Options(**options))


def differing_fields(one, other):
    return (one.depth != other.depth) + (one.widths[0] != other.widths[0]) + (one.activation != other.activation)


def test_it_begins_with_a_random_population_and_then_mutates():
    reasons = [proposal.reason for proposal in play(make(population=7))]
    assert reasons == ["population"] * 7 + ["mutation"] * 23


def test_the_oldest_dies_whatever_its_score():
    controller = make(population=3)
    play(controller, lambda segment: -float(segment), segments=5)
    assert [score for _, score in controller.population] == [-2.0, -3.0, -4.0]


def test_a_child_is_the_best_of_the_sample_with_one_field_changed():
    """With a sample of 200 out of 5 the best is in it, but for a chance of 0.8^200."""
    for seed in range(30):
        controller = make(seed, population=5, sample=200)
        play(controller, lambda segment: float(segment % 3), segments=5)
        parent, _ = max(controller.population, key=lambda member: member[1])
        best = [architecture for architecture, score in controller.population if score == 2.0]
        assert best == [parent]
        assert differing_fields(controller.ask().architecture, parent) == 1


def test_what_was_really_trained_joins_the_population():
    controller = make()
    proposal = controller.ask()
    other = next(architecture for architecture in SPACE if architecture != proposal.architecture)
    controller.tell(replace(result(proposal, 5.0), architecture=other, accepted=False))
    assert list(controller.population) == [(other, 5.0)]
