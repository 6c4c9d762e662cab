"""Widening and deepening without moving Q. Observations have 3 numbers, actions are 2."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasdqn_fast.engine import backends
from nasdqn_fast.testing.transfers import filled_replay, make_switch, some_states, trained_network
from nasdqn_fast.transfers._features import hidden
from nasdqn_fast.transfers.base import apply, make
from nasdqn_fast.transfers.fresh import fresh

BOX = np.array([1.0, 1.0, 8.0])  # the paper's pendulum: a cosine, a sine and a speed


def box_states(n, seed=0):
    return np.random.default_rng(seed).uniform(-BOX, BOX, (n, 3)).astype(np.float32)


def carried(old, after, **given):
    return apply(make("net2net"), make_switch(old, after, 8, **given))[0]


def change(old, new, states):
    """Largest |dQ| in units of the largest |Q|."""
    return np.abs(new.forward(states).astype(float) - old.forward(states)).max() / np.abs(old.forward(states)).max()


widths = st.lists(st.integers(1, 40), min_size=1, max_size=3)


@settings(deadline=None, max_examples=40)
@given(
    backend=st.sampled_from(["native", "numpy"]),
    activation=st.sampled_from(["relu", "leaky_relu"]),
    before=widths,
    more=st.lists(st.integers(0, 30), min_size=3, max_size=3),
    inserted=st.lists(st.integers(0, 30), max_size=2),
    normalizes=st.booleans(),
)
def test_wider_and_deeper_rectifiers_have_the_same_q(backend, activation, before, more, inserted, normalizes):
    """Over the whole box of observations, of which the memory holds the middle: speeds up to 5 of 8."""
    old = trained_network(backend, f"{','.join(map(str, before))}-{activation}")
    if normalizes:
        old.normalizer = old.normalizer_type(3)
        old.normalizer.update(box_states(50, seed=1))
    after = [m + n for m, n in zip(before, more, strict=False)]
    after += [before[-1] + n for n in inserted]
    seen = filled_replay(backend, box_states(200, seed=2) * np.float32([1, 1, 0.6]))
    result = carried(old, f"{','.join(map(str, after))}-{activation}", replay=seen)
    assert result.note == ""
    assert change(old, result.network, box_states(1_000)) <= 1e-5


def test_a_deeper_leaky_rectifier_has_the_same_q_up_to_the_edges_of_the_box_three_times_as_wide(backend):
    """Units that are the observations, and their opposites: the least of each is at an edge."""
    old = trained_network(backend, "6-leaky_relu")
    old.weights[0][...], old.biases[0][:] = np.hstack([np.eye(3), -np.eye(3)]), 0
    low, high = np.float32([-1, 2, 0]), np.float32([3, 5, 0.5])
    result = carried(old, "2x6-leaky_relu", replay=filled_replay(backend, np.array([low, high])))
    assert change(old, result.network, np.array([2 * low - high, 2 * high - low])) <= 1e-6


@pytest.mark.parametrize("after", ["2x64-tanh", "32,100-tanh"])
def test_a_wider_tanh_network_has_the_same_q(backend, after):
    old = trained_network(backend, "2x32-tanh")
    assert change(old, carried(old, after).network, box_states(1_000)) <= 1e-5


def test_a_deeper_tanh_network_has_nearly_the_same_q_and_says_so(backend):
    old = trained_network(backend, "2x32-tanh")
    result = carried(old, "4x32-tanh", replay=filled_replay(backend, box_states(200)))
    assert 1e-5 < change(old, result.network, box_states(1_000)) < 0.01
    assert result.note == "Q is not preserved: a new tanh layer bends what it hands on"


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("2x32-relu", "2x32-tanh", "relu became tanh"),
        ("2x32-relu", "64,16-relu", "hidden layer 2 has 16 units instead of 32"),
        ("4x32-relu", "2x32-relu", "hidden layers 3 to 4 are missing"),
        ("1x32-relu", "32,31-relu", "a new layer has fewer units than the 32 that it hands on"),
        ("2x32-relu", "1x16-leaky_relu", "relu became leaky_relu, hidden layer 1 has 16 units instead of 32, "),
    ],
)
def test_the_note_says_why_q_is_not_preserved(backend, before, after, why):
    result = carried(trained_network(backend, before), after)
    assert result.note.startswith(f"Q is not preserved: {why}")
    assert result.optimizer is None


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh"])
def test_new_units_are_heard_by_none_and_neither_dead_nor_copies(backend, activation):
    """Oracle: the equation of the hidden layers, on every state of the memory."""
    states = some_states(128)
    old = trained_network(backend, f"8,9-{activation}")
    new = carried(old, f"40,50-{activation}", replay=filled_replay(backend, states)).network
    for i, (first, layer) in enumerate(zip((8, 9), hidden(new, states), strict=True)):
        kept = (9, 2)[i]
        assert not new.weights[i + 1][first:, :kept].any()
        assert (layer[:, first:] > 0).any(axis=0).all()
        listened = np.vstack([new.weights[i], new.biases[i]]).T
        assert len(np.unique(listened, axis=0)) == len(listened)
        correlation = np.abs(np.corrcoef(layer.T)) - np.eye(layer.shape[1])
        assert np.nanmax(correlation[first:, :first]) < 0.999


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_new_unit_that_would_be_silent_has_its_sign_turned(backend, activation):
    """All observations are positive, so that a unit of negative fresh weights is silent on all of them."""
    states = np.abs(some_states(128))
    old = trained_network(backend, f"1x4-{activation}")
    switch = make_switch(old, f"1x60-{activation}", 8, replay=filled_replay(backend, states))
    silent = (hidden(fresh(make_switch(old, f"1x60-{activation}", 8)).network, states)[0] <= 0).all(axis=0)
    new = apply(make("net2net"), switch)[0].network
    assert silent[4:].any()
    assert (hidden(new, states)[0][:, 4:] > 0).any(axis=0).all()


def test_a_new_unit_learns(backend):
    """Its outgoing weights move at the first step, and its incoming ones at the second."""
    old = trained_network(backend, "1x8-relu")
    new = carried(old, "1x16-relu").network
    optimizer = backends.find(backend).Optimizer("sgd", 0.1)
    states, wanted = some_states(64), np.ones(64, np.float32)
    for k in (1, 0):
        part = [new.weights[0][:, 8:], new.weights[1][8:]][k]
        before = part.copy()
        _, gradient = new.loss_and_gradient(states, np.arange(64) % 2, wanted)
        new.apply_gradient(gradient, optimizer)
        assert (part != before).any(axis=1 if k else 0).all()


@pytest.mark.parametrize("after", ["2x8-relu", "9,7-relu", "6,8,30-relu"])
def test_adams_moments_go_with_their_weights(backend, after):
    """Oracle: weights and moments that are numbered alike end at the same places; new weights have no moment."""
    old = trained_network(backend, "6,7-relu")
    numbers = np.arange(1, old.parameters.size + 1).astype(np.float32)
    old.parameters = numbers
    state = {"kind": "adam", "steps": 3, "m": numbers, "v": 2 * numbers}
    result = carried(old, after, optimizer="adam", optimizer_state=state)
    m, v = result.optimizer["m"], result.optimizer["v"]
    assert result.optimizer["steps"] == 3
    np.testing.assert_array_equal(np.sort(m[m > 0]), numbers)
    np.testing.assert_array_equal(v, 2 * m)
    np.testing.assert_array_equal(result.network.parameters[m > 0], m[m > 0])


def test_a_narrower_layer_keeps_the_units_that_are_heard_most(backend):
    """Oracle: all but one unit's outgoing weights are zero."""
    old = trained_network(backend, "1x8-relu")
    old.weights[1][...] = 0.0
    old.weights[1][5] = 1.0
    states = some_states(20)
    np.testing.assert_allclose(carried(old, "1x1-relu").network.forward(states), old.forward(states), rtol=1e-6)
