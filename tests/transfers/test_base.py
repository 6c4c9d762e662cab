"""The pairing of layers, and the report of a switch."""

import numpy as np
import pytest

from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
from nasdqn_fast.space import Architecture
from nasdqn_fast.testing.transfers import OBSERVATION_SIZE, filled_replay, some_states, trained_network
from nasdqn_fast.transfers.base import apply, find, paired_layers
from nasdqn_fast.transfers.fresh import fresh
from nasdqn_fast.transfers.matching import matching
from nasdqn_fast.transfers.overlap import overlap


def switch(transfer, old, after, replay, rng=None):
    return apply(transfer, old, Architecture.parse(after), rng or np.random.default_rng(8), replay)


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
    fresh(old, Architecture.parse("3x8-relu"), alone)
    assert measured.bit_generator.state == alone.bit_generator.state
    np.testing.assert_array_equal(replay.sample(20).observations, untouched.sample(20).observations)


@pytest.mark.parametrize(
    ("result", "got"),
    [
        (lambda old: None, "NoneType None"),
        (lambda old: old.parameters, "ndarray"),
        (lambda old: type(old)("2x8-relu", OBSERVATION_SIZE, old.n_actions + 1), "QNetwork"),
    ],
)
def test_what_is_no_fitting_network_is_refused_with_the_transfers_name(backend, result, got):
    def careless(old, architecture, rng):
        return result(old)

    replay = filled_replay(backend, some_states(9))
    with pytest.raises(InputError, match=rf"transfer {__name__}:.*careless must return a QNetwork .* got {got}"):
        switch(careless, trained_network(backend, "2x8-relu"), "2x9-relu", replay)


@pytest.mark.parametrize("name", ["json:dumps", "math:pi"])
def test_what_cannot_be_a_transfer_is_refused(name):
    with pytest.raises(InputError, match=rf"transfer '{name}' must be a function of \(old, architecture, rng\), got"):
        find(name)
