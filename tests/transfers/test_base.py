"""The pairing of layers, the report of a switch, and what a transfer may return."""

from dataclasses import dataclass

import numpy as np
import pytest

from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
from nasdqn_fast.plugins import option
from nasdqn_fast.testing.transfers import OBSERVATION_SIZE, filled_replay, make_switch, some_states, trained_network
from nasdqn_fast.transfers.base import Carried, apply, make, paired_layers
from nasdqn_fast.transfers.fresh import fresh
from nasdqn_fast.transfers.matching import matching
from nasdqn_fast.transfers.overlap import overlap


def switch(transfer, old, after, replay, rng=8):
    """The network and the report."""
    carried, report = apply(make(transfer), make_switch(old, after, rng, replay=replay))
    return carried.network, report


@pytest.mark.parametrize(
    ("before", "after", "pairs"),
    [
        ("2x64-relu", "4x64-relu", [(0, 0), (1, 1), (2, 4)]),
        ("4x64-relu", "2x64-relu", [(0, 0), (1, 1), (4, 2)]),
        ("3x32-relu", "3x64-relu", [(0, 0), (1, 1), (2, 2), (3, 3)]),
        ("1x32-relu", "1x32-relu", [(0, 0), (1, 1)]),
    ],
)
def test_hidden_layers_are_paired_from_the_input_and_the_head_with_the_head(backend, before, after, pairs):
    assert paired_layers(trained_network(backend, before), trained_network(backend, after)) == pairs


@pytest.mark.parametrize(
    ("transfer", "after", "copied"),
    [
        # Of 3 x 8 + 8, 8 x 8 + 8, 8 x 2 + 2 parameters.
        (matching, "2x8-relu", 32 + 72 + 18),
        (matching, "3x8-relu", 32 + 72 + 18),
        (matching, "2x5-relu", 0),
        (overlap, "2x5-relu", (3 * 5 + 5) + (5 * 5 + 5) + (5 * 2 + 2)),
        (overlap, "1x9-relu", (3 * 8 + 8) + (8 * 2 + 2)),
        (fresh, "2x8-relu", 0),
    ],
)
def test_the_report_counts_what_was_kept(backend, transfer, after, copied):
    """Oracle: counted by hand. No initial weight happens to equal a trained one, and no trained bias is 0."""
    new, report = switch(transfer, trained_network(backend, "2x8-relu"), after, filled_replay(backend, some_states(9)))
    assert report.kept == copied / new.parameters.size


def test_q_does_not_move_at_a_switch_to_the_same_architecture(backend):
    _, report = switch(
        matching, trained_network(backend, "2x8-tanh"), "2x8-tanh", filled_replay(backend, some_states(9))
    )
    assert (report.kept, report.q_change_mean, report.q_change_max) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("n", [1, 127, 128, 255])
def test_q_is_compared_at_evenly_spaced_states(backend, n):
    """Oracle: all states up to 128; of 255 every second, the oldest and the newest included."""
    old, states = trained_network(backend, "2x8-relu"), some_states(n)
    new, report = switch(fresh, old, "2x17-tanh", filled_replay(backend, states))
    compared = states[:: 2 if n > 128 else 1]
    change = np.abs(new.forward(compared) - old.forward(compared))
    assert report.q_change_mean == pytest.approx(change.mean(), rel=1e-5)
    assert report.q_change_max == pytest.approx(change.max(), rel=1e-5)


def test_without_states_nothing_is_said_of_q(backend):
    replay = backends.find(backend).ReplayBuffer(10, OBSERVATION_SIZE)
    _, report = switch(matching, trained_network(backend, "2x8-relu"), "2x8-relu", replay)
    assert (report.q_change_mean, report.q_change_max) == (None, None)


def test_measuring_draws_nothing(backend):
    """Oracle: the transfer by itself leaves the generator in the same state; the memory's next sample is the same."""
    old, states = trained_network(backend, "2x8-relu"), some_states(50)
    measured, alone = np.random.default_rng(8), np.random.default_rng(8)
    replay, untouched = filled_replay(backend, states), filled_replay(backend, states)
    switch(fresh, old, "3x8-relu", replay, measured)
    fresh(make_switch(old, "3x8-relu", alone))
    assert measured.bit_generator.state == alone.bit_generator.state
    np.testing.assert_array_equal(replay.sample(20).observations, untouched.sample(20).observations)


@pytest.mark.parametrize(
    ("result", "got"),
    [
        (lambda old: None, "return a Carried; got NoneType None"),
        (lambda old: old, "return a Carried; got QNetwork"),
        (lambda old: Carried(old.parameters), "return a QNetwork of 3 observations and 2 actions, .* got ndarray"),
        (
            lambda old: Carried(type(old)("2x8-relu", OBSERVATION_SIZE, old.n_actions + 1)),
            "return a QNetwork of 3 observations and 2 actions, .* got QNetwork",
        ),
        (lambda old: Carried(old.copy(), accepted=1), "return a valid Carried: accepted must be a bool; got int 1"),
        (lambda old: Carried(old.copy(), steps=-1), "return a valid Carried: steps must be an integer >= 0; got -1"),
        (lambda old: Carried(old.copy(), updates=0.5), "return a valid Carried: updates must be an integer"),
        (lambda old: Carried(old.copy(), note=None), "return a valid Carried: note must be a string"),
    ],
)
def test_what_is_not_valid_is_refused_with_the_transfers_name(backend, result, got):
    def careless(switch):
        return result(switch.old)

    replay = filled_replay(backend, some_states(9))
    with pytest.raises(InputError, match=rf"transfer '{__name__}:.*careless' must {got}") as raised:
        switch(careless, trained_network(backend, "2x8-relu"), "2x9-relu", replay)
    assert "\n" not in str(raised.value)


def test_the_report_says_what_the_transfer_spent_and_notes(backend):
    def noting(switch):
        return Carried(switch.old.like(switch.architecture, switch.rng), steps=3, updates=np.int64(4), note="two tries")

    _, report = switch(noting, trained_network(backend, "2x8-relu"), "2x9-relu", filled_replay(backend, some_states(9)))
    assert (report.accepted, report.steps, report.updates, report.note) == (True, 3, 4, "two tries")


def test_of_a_refused_switch_the_report_is_the_old_networks(backend):
    """The network that was refused need not even be one."""
    old, replay = trained_network(backend, "2x8-relu"), filled_replay(backend, some_states(9))
    _, report = switch(lambda switch: Carried(None, accepted=False, updates=9), old, "2x9-relu", replay)
    assert (report.kept, report.q_change_mean, report.q_change_max) == (1.0, 0.0, 0.0)
    assert (report.accepted, report.updates) == (False, 9)


class Scaled:
    """Multiplies the weights."""

    @dataclass(frozen=True)
    class Options:
        factor: float = option(2.0, "what the weights are multiplied with", "this test")

    def __call__(self, switch):
        new = switch.old.copy()
        new.parameters = switch.options.factor * switch.old.parameters
        return Carried(new)


@pytest.mark.parametrize(("given", "factor"), [({}, 2.0), ({"factor": 0.5}, 0.5)])
def test_a_transfer_finds_its_options_in_the_switch(given, factor):
    old = trained_network("numpy", "2x8-relu")
    carried, _ = apply(make(Scaled, given), make_switch(old, "2x8-relu"))
    np.testing.assert_array_equal(carried.network.parameters, np.float32(factor) * old.parameters)


def test_an_unknown_option_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown option 'facter': did you mean 'factor'\?"):
        make(Scaled, {"facter": 0.5})


def old_style(old, architecture, rng):
    return old


class NeedsArguments:
    def __init__(self, factor):
        self.factor = factor


@pytest.mark.parametrize(
    ("transfer", "message"),
    [
        (old_style, r"transfer '.*:old_style' must be a function of one argument, the switch, .*; got one of \(old, "),
        ("json:dump", r"transfer 'json:dump' must be a function of one argument, .*; got one of \(obj, fp"),
        ("math:pi", r"transfer 'math:pi' must be a function of one argument, .*; got float 3.14"),
        (3, r"transfer 'int 3' must be a function of one argument, .*; got int 3"),
        (NeedsArguments, r"transfer '.*:NeedsArguments' must .*; got a class that is made with \(factor\)"),
    ],
)
def test_what_cannot_be_a_transfer_is_refused_in_one_line(transfer, message):
    with pytest.raises(InputError, match=message) as raised:
        make(transfer)
    assert "\n" not in str(raised.value)
