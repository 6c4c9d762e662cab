"""The controller that never switches."""

import numpy as np
import pytest

from nasdqn_fast.controllers.fixed import Fixed
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import WHOLE_RUN, Proposal


def test_one_proposal_for_the_whole_run_even_from_outside_the_space():
    controller = Fixed(SearchSpace.paper(), np.random.default_rng(0), Fixed.Options(architecture="5x7-tanh"))
    assert controller.ask() == Proposal(Architecture((7,) * 5, "tanh"), "fixed", WHOLE_RUN)


def test_a_malformed_architecture_is_refused_at_once():
    with pytest.raises(ValueError, match="malformed architecture '3x'"):
        Fixed.Options(architecture="3x")
