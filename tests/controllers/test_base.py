"""Controllers by name."""

import numpy as np
import pytest

from nasdqn_fast.controllers import base
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import InputError


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
