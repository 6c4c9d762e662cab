"""Controllers by name."""

import numpy as np
import pytest

from nasdqn_fast.controllers import base
from nasdqn_fast.controllers.nas_dqn import NASDQN
from nasdqn_fast.errors import InputError
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Proposal


def make(name, **options):
    return base.make(name, SearchSpace.paper(), np.random.default_rng(0), options)


def test_options_not_given_have_their_defaults():
    assert make("nas-dqn", temperature=0.5).options == NASDQN.Options(temperature=0.5)
    assert make("nas-dqn").options == NASDQN.Options()


class Plain(base.Controller):
    """Knows nothing of options, and is made with two arguments."""

    def __init__(self, space, rng):
        super().__init__(space, rng)

    def propose(self):
        return Proposal(self.space[0], "first")


def test_a_controller_without_options_is_made_with_two_arguments():
    assert isinstance(make(f"{__name__}:Plain"), Plain)
    assert isinstance(make(Plain), Plain)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fixed", {}, "controller 'fixed': architecture must be a string or an Architecture; got none; give one"),
        ("nas-dqn", {"temprature": 1}, r"'nas-dqn': unknown option 'temprature': did you mean 'temperature'\?"),
        ("nas-dqn", {"temperature": 0}, "controller 'nas-dqn': temperature must be a finite number > 0; got 0.0"),
        ("nas-dqn", {"temperature": "1"}, r"temperature must be a finite number > 0; got str '1'; pass float"),
        ("nas-dqn", {"score_kept": "bst"}, r"unknown score_kept 'bst': did you mean 'best'\?"),
        ("nas-dqn", {"epsilon_start": 0.05}, r"epsilon_min must be at most epsilon_start \(0.05\); got 0.1"),
        ("random", {"c": 1.0}, "controller 'random': unknown option 'c': there are none"),
    ],
)
def test_a_wrong_option_is_named_with_its_controller(name, options, message):
    with pytest.raises(InputError, match=message):
        make(name, **options)


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'nas-dqn'"):
        make("nas_dqn")


@pytest.mark.parametrize("name", ["json:dumps", "nasdqn_fast.space:Architecture"])
def test_what_is_no_controller_is_refused(name):
    with pytest.raises(InputError, match=r"must be a subclass of nasdqn_fast\.controllers\.base\.Controller"):
        make(name)


def test_a_built_in_is_also_reached_as_module_and_attribute():
    assert make("nasdqn_fast.controllers.fixed:Fixed", architecture="5x7-tanh").architecture == Architecture.parse(
        "5x7-tanh"
    )


class Careless(base.Controller):
    """Proposes what it was given, without a look at it."""

    proposal = None

    def propose(self):
        return self.proposal


@pytest.mark.parametrize(
    ("proposal", "message"),
    [
        (None, r"propose\(\) must return a Proposal; got NoneType None"),
        ("3x64-relu", r"propose\(\) must return a Proposal; got str '3x64-relu'"),
        (Proposal("3x64-relu", "why not", 0), "a proposal's budget must be an integer >= 1; got 0"),
        (Proposal("3x64-relu", "why not", 2.5), "a proposal's budget must be an integer >= 1; got float 2.5"),
    ],
)
def test_what_is_no_proposal_is_refused_with_the_controllers_name(proposal, message):
    controller = Careless(SearchSpace.paper(), np.random.default_rng(0))
    controller.proposal = proposal
    with pytest.raises(InputError, match=rf"controller {__name__}:Careless: {message}"):
        controller.ask()


def test_a_proposal_reads_the_text_form_and_wants_a_reason():
    assert Proposal("3x64-relu", "why not").architecture == Architecture.parse("3x64-relu")
    with pytest.raises(ValueError, match="malformed architecture"):
        Proposal("3y64", "why not")
    with pytest.raises(TypeError, match="reason must be a string; got NoneType"):
        Proposal("3x64-relu", None)
