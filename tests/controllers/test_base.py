"""Controllers by name."""

import numpy as np
import pytest

from nasdqn_fast.controllers import base
from nasdqn_fast.errors import InputError
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Proposal


def make(name, **options):
    return base.make(name, SearchSpace.paper(), np.random.default_rng(0), options)


def test_a_controller_gets_the_options_it_names_and_no_others():
    controller = make("nas-dqn", temperature=0.5, architecture="2x32-relu", somebody_elses=3)
    assert controller.temperature == 0.5
    assert controller.buffer_size == 5


def test_an_option_that_is_needed_and_missing_is_named():
    with pytest.raises(InputError, match="controller 'fixed' needs the option architecture"):
        make("fixed", temperature=0.5)


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
