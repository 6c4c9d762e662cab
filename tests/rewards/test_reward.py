"""Rewards. Oracles: values by hand, and what each form promises, for any numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.errors import InputError
from nasdqn_fast.flop import macs
from nasdqn_fast.rewards.cost import MEASURES, cost_of
from nasdqn_fast.rewards.forms import FORMS, absolute, additive, multiplicative
from nasdqn_fast.rewards.limit import ParameterLimit
from nasdqn_fast.rewards.reward import Reward
from nasdqn_fast.space import Architecture, SearchSpace

SIZES = (3, 3)
QUALITIES = st.floats(-100, 100)
COSTS = st.floats(1e-3, 1e3)
WEIGHTS = st.floats(0.01, 2)


def test_values_by_hand():
    assert additive(0.9, 0.5, 0.2) == pytest.approx(0.8)
    assert multiplicative(0.8, 4.0, 0.5) == pytest.approx(0.4)
    assert multiplicative(-0.8, 4.0, 0.5) == pytest.approx(-1.6)
    assert absolute(0.9, 0.5, 0.2) == absolute(0.9, 1.5, 0.2) == pytest.approx(0.8)


@given(quality=QUALITIES, cost=COSTS, more=st.floats(1.01, 100), weight=WEIGHTS)
@pytest.mark.parametrize("form", [additive, multiplicative])
def test_a_higher_cost_is_never_better_whatever_the_sign(form, quality, cost, more, weight):
    assert form(quality, cost * more, weight) <= form(quality, cost, weight)


@given(quality=QUALITIES, gain=st.floats(1e-3, 100), cost=COSTS, weight=WEIGHTS)
@pytest.mark.parametrize("form", FORMS.values())
def test_a_higher_return_is_better_at_the_same_cost(form, quality, gain, cost, weight):
    assert form(quality + gain, cost, weight) > form(quality, cost, weight)


@given(quality=QUALITIES, cost=COSTS)
@pytest.mark.parametrize("form", FORMS.values())
def test_without_a_weight_or_at_the_target_it_is_the_quality(form, quality, cost):
    assert form(quality, cost, 0.0) == quality
    if form is not additive:
        assert form(quality, 1.0, 0.07) == quality


@given(quality=QUALITIES, away=st.floats(0.01, 0.98), weight=WEIGHTS)
def test_absolute_is_best_at_the_target(quality, away, weight):
    assert absolute(quality, 1 - away, weight) == pytest.approx(absolute(quality, 1 + away, weight))
    assert absolute(quality, 1 + away, weight) < absolute(quality, 1.0, weight)


def test_the_range_turns_returns_into_qualities_and_back():
    """-400 counts as 0 and 100 as 1: -150 is a half; a cost of a half of the target takes 0.1 of 500 off it."""
    architecture = Architecture.parse("2x4-relu")
    reward = Reward("additive", 0.2, -400.0, 100.0, 2 * 47, cost_of("parameters", SIZES, {}))
    assert architecture.parameter_count(*SIZES) == 51
    assert reward(architecture, -150.0) == pytest.approx(-400 + 500 * (0.5 - 0.2 * 51 / 94))
    product = Reward("multiplicative", 1.0, -400.0, 100.0, 51 / 2, cost_of("parameters", SIZES, {}))
    assert product(architecture, -150.0) == pytest.approx(-400 + 500 * 0.25)


def test_costs_are_the_textbooks():
    """1x2 on 3 observations and 3 actions: 3x2 + 2 + 2x3 + 3 weights and biases, 12 multiply-adds."""
    architecture = Architecture.parse("1x2-tanh")
    assert cost_of("parameters", SIZES, {})(architecture) == 17
    assert cost_of("flop", SIZES, {})(architecture) == 2 * macs(architecture, *SIZES) == 24
    assert cost_of("latency", SIZES, {"1x2-tanh": 3e-6})(architecture) == 3e-6
    assert set(MEASURES) == {"parameters", "flop", "latency"}


def test_an_architecture_without_a_latency_is_one_line():
    with pytest.raises(InputError, match="reward_latencies has no 1x3-relu; it has 1x2-tanh; add it, or leave"):
        cost_of("latency", SIZES, {"1x2-tanh": 3e-6})(Architecture.parse("1x3-relu"))


@given(maximum=st.integers(1, 60_000))
def test_a_limit_keeps_exactly_what_is_not_above_it(maximum):
    space = SearchSpace.paper()
    expected = [a for a in space if a.parameter_count(*SIZES) <= maximum]
    limit = ParameterLimit(maximum, SIZES)
    if not expected:
        with pytest.raises(InputError, match="must be at least 1,283, those of 2x32-relu, the smallest"):
            limit.within(space)
        return
    assert list(limit.within(space)) == expected
    for architecture in space:
        if architecture in expected:
            limit.check(architecture, "a controller")
        else:
            with pytest.raises(InputError, match=r"^a controller asks for .* parameters; max_parameters is"):
                limit.check(architecture, "a controller")


def test_without_a_limit_the_space_is_whole():
    limit = ParameterLimit(None, SIZES)
    assert list(limit.within(SearchSpace.paper())) == list(SearchSpace.paper())
    limit.check(Architecture.parse("9x4096-relu"), "anyone")
