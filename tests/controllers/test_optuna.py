"""Optuna's samplers behind ask and tell."""

import sys

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spaces import SPACES

from nasdqn_fast.controllers import base
from nasdqn_fast.controllers._decisions import Tree
from nasdqn_fast.errors import InputError
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.testing.controllers import play, result, stored

PAPER = SearchSpace.paper()


def make(seed=0, space=PAPER, **options):
    return base.make("optuna", space, np.random.default_rng(seed), options)


@settings(max_examples=20)
@given(SPACES, st.sampled_from(["tpe", "random"]))
def test_any_space_is_searched_as_it_is(space, sampler):
    proposals = play(make(space=space, sampler=sampler, startup_trials=2), segments=6)
    assert all(proposal.architecture in space for proposal in proposals)
    assert {proposal.reason for proposal in proposals} == {sampler}


def test_proposals_are_those_of_optuna_itself():
    """Oracle: Optuna's own study, told the same, with a sampler of the same seed."""
    controller, rng = make(seed=5), np.random.default_rng(5)
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    optuna.logging.set_verbosity(level)
    for segment in range(25):
        study.sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**31)))
        trial = study.ask()
        depth = trial.suggest_int("depth: 2, 3, 4", 0, 2) + 2
        width = 32 * 2 ** trial.suggest_int("width: 32, 64, 128", 0, 2)
        names = ("relu", "tanh", "leaky_relu")
        activation = trial.suggest_categorical("activation: relu, tanh, leaky_relu", names)
        proposal = controller.ask()
        assert str(proposal.architecture) == f"{depth}x{width}-{activation}"
        score = float(segment * 7 % 11)
        controller.tell(result(proposal, score))
        study.tell(trial, score)


@pytest.mark.quick_only(at={1, 24})
@pytest.mark.parametrize("sampler", ["tpe", "random"])
@pytest.mark.parametrize("at", [0, 1, 13, 24])
def test_a_study_built_again_from_its_trials_goes_on_exactly(sampler, at):
    """Also with a proposal that waits for its score, through a checkpoint's file."""
    controller, restored = make(1, sampler=sampler), make(2, sampler=sampler)
    play(controller, segments=at)
    proposal = controller.ask()
    restored.set_state(stored(controller.get_state()))
    restored.rng.bit_generator.state = controller.rng.bit_generator.state
    for one in (controller, restored):
        one.tell(result(proposal, 50.0))
    assert play(restored, segments=12) == play(controller, segments=12)


def test_equal_fields_are_one_parameter_wherever_they_are_decided():
    """In a grid, what is learned of a width under one depth holds under all."""
    controller = make()
    names = {controller._parameter(decision)[0] for decision in Tree(PAPER).decisions}
    assert names == {"depth: 2, 3, 4", "width: 32, 64, 128", "activation: relu, tanh, leaky_relu"}


def test_nothing_is_written_to_the_screen(capfd):
    play(make(), segments=3)
    assert capfd.readouterr() == ("", "")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(
        InputError, match=r"^optuna is not installed, which this needs: pip install 'nasdqn-fast\[search\]'"
    ):
        make()


def test_a_package_that_only_a_sampler_needs_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"^cmaes is not installed, which Optuna's CmaEsSampler needs: pip install cmaes"
    ):
        make(sampler="cma-es")
