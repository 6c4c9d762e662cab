"""Spaces in which optimizer and learning rate are decisions, too: every controller takes them."""

import numpy as np
import pytest

from nasdqn_fast import plugins
from nasdqn_fast.controllers import base
from nasdqn_fast.controllers._decisions import Tree
from nasdqn_fast.controllers._growth import Growth
from nasdqn_fast.space import Architecture, SearchSpace, Setup
from nasdqn_fast.testing.controllers import play, result, stored

LAYERS = SearchSpace.grid((1, 2), (4, 8), ("relu", "tanh"))
SPACE = LAYERS.trained(("sgd", "adam"), (1e-5, 0.001, 0.01))
FORMS = ("reinforce", "actor-critic", "ppo", "q-learning", "sarsa")
NAMES = [name for name in plugins.names("controllers") if name not in ("fixed", "optuna")]
CASES = [(name, {}) for name in NAMES] + [(name, {"form": "progressive"}) for name in FORMS]


def make(name, seed=0, **options):
    return base.make(name, SPACE, np.random.default_rng(seed), options)


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_every_controller_proposes_setups_of_the_space(name, options):
    proposals = play(make(name, **options), segments=60)
    assert {proposal.architecture in SPACE for proposal in proposals} == {True}
    if name not in ("prune-only", "reset-only"):
        training = {proposal.architecture.training for proposal in proposals}
        assert len({dict(pairs)["optimizer"] for pairs in training}) == 2
        assert len({dict(pairs)["learning_rate"] for pairs in training}) >= 2


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_one_that_was_saved_goes_on_as_if_never_stopped(name, options):
    controller, restored = make(name, 1, **options), make(name, 2, **options)
    play(controller)
    restored.set_state(stored(controller.get_state()))
    restored.rng.bit_generator.state = controller.rng.bit_generator.state
    assert play(restored) == play(controller)


def test_optuna_knows_the_order_of_learning_rates():
    pytest.importorskip("optuna", reason="optuna is not installed: pip install 'nasdqn-fast[search]'")
    controller, restored = make("optuna", 1), make("optuna", 2)
    play(controller)
    restored.set_state(stored(controller.get_state()))
    restored.rng.bit_generator.state = controller.rng.bit_generator.state
    assert play(restored) == play(controller)
    kinds = {name.partition(":")[0]: type(kind).__name__ for name, kind in controller._distributions.items()}
    assert (kinds["optimizer"], kinds["learning_rate"]) == ("CategoricalDistribution", "IntDistribution")


@pytest.mark.quick_only(name={"bandit", "nas-dqn"})
@pytest.mark.parametrize("name", ["bandit", "nas-dqn", "q-learning", "ucb"])
def test_what_matters_is_learned_where_only_training_matters(name):
    """Adam at 0.001 is worth 10, the others 0: the last of 150 trials take it far more often than one in six."""
    shares = []
    for seed in range(20):
        controller, taken = make(name, seed), []
        for _ in range(150):
            proposal = controller.ask()
            is_best = proposal.architecture.training == (("optimizer", "adam"), ("learning_rate", 0.001))
            taken.append(is_best)
            controller.tell(result(proposal, 10.0 * is_best + controller.rng.normal()))
        shares.append(np.mean(taken[100:]))
    assert np.mean(shares) > 0.5


def test_they_are_the_last_decisions_of_the_tree():
    tree = Tree(SPACE)
    assert tree.fields == ("depth", "width", "activation", "optimizer", "learning_rate")
    assert [value for field, value in tree.parts if field == "learning_rate"] == [1e-5, 0.001, 0.01]
    setup = SPACE[17]
    assert tree.describe(setup)[-2:] == setup.training
    assert len(tree.path(setup)) == 5


def test_growth_reaches_every_setup_by_single_changes():
    growth = Growth(SPACE)
    assert growth.start == Setup((4,), "relu", "sgd", 1e-5)
    assert {"deepen", "widen", "relu", "tanh", "sgd", "adam", "lr=1e-05", "lr=0.001", "lr=0.01"} <= set(growth.names)
    assert not [name for name in growth.names if name.startswith("to:")]
    for setup, moves in growth.moves.items():
        for name, target in moves.items():
            if target is None:
                continue
            if name in ("sgd", "adam") or name.startswith("lr="):
                assert Architecture.parse(target) == Architecture.parse(setup)
                assert len(set(target.training) - set(setup.training)) == 1
            else:
                assert target.training == setup.training
