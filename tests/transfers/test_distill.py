"""Fitting the new network to Q of the old one. Observations have 3 numbers, actions are 2."""

import numpy as np
import pytest

from nasdqn_fast.engine import backends
from nasdqn_fast.testing.transfers import filled_replay, make_switch, some_states, trained_network
from nasdqn_fast.transfers._regression import Scales, refit_head
from nasdqn_fast.transfers.base import apply, make
from nasdqn_fast.transfers.distill import pool
from nasdqn_fast.types import Episodes

QUICK = {"exact": False, "steps": 20, "td_updates": 0}


def carried(old, after, options, rng=8, **given):
    return apply(make("distill", options), make_switch(old, after, rng, **given))[0]


def old_network(backend, architecture="2x32-relu"):
    """Its Q is a large value that both actions share, and a small difference."""
    old = trained_network(backend, architecture)
    old.biases[-1][...] += 50
    return old


@pytest.mark.parametrize("after", ["2x16-relu", "3x32-tanh", "1x32-leaky_relu"])
def test_the_fit_finds_the_values_and_the_greedy_actions_of_the_old_network(after):
    """Oracle: the old network, on states that were not fitted."""
    old, states = old_network("native"), some_states(4_000)
    replay = filled_replay("native", states[:2_000])
    new = carried(old, after, {"exact": False, "td_updates": 0}, replay=replay).network
    q, fitted = old.forward(states[2_000:]), new.forward(states[2_000:])
    assert np.abs(fitted - q).mean() < 0.02 * np.abs(q).mean()
    assert np.mean(fitted.argmax(axis=1) == q.argmax(axis=1)) > 0.85


def test_both_backends_fit_the_same_network():
    """Until rounding parts them."""
    fitted = [carried(old_network(backend), "16,9-tanh", QUICK).network for backend in ("native", "numpy")]
    np.testing.assert_allclose(fitted[0].parameters, fitted[1].parameters, atol=1e-3)


@pytest.mark.parametrize(("after", "is_exact"), [("2x64-relu", True), ("3x32-relu", True), ("2x32-tanh", False)])
def test_what_net2net_preserves_is_not_fitted(backend, after, is_exact):
    old, states = old_network(backend), some_states(100)
    result = carried(old, after, QUICK | {"exact": True})
    assert (result.updates == 0) == is_exact
    assert np.allclose(result.network.forward(states), old.forward(states), rtol=1e-5) == is_exact


def test_it_learns_before_it_acts_and_continues_with_the_optimizer(backend):
    """Oracle: what the switch's `learn` was asked for, and returned."""
    asked, state = [], {"kind": "sgd", "steps": 30, "m": np.zeros(0, np.float32), "v": np.zeros(0, np.float32)}

    def learn(network, n):
        asked.append((network, n))
        return state

    result = carried(old_network(backend), "2x8-relu", QUICK | {"td_updates": 30}, learn=learn)
    assert asked == [(result.network, 30)]
    assert result.optimizer is state
    assert result.updates == 20  # of the fit; those of `learn` are counted by the search
    assert result.note.endswith("of the greedy actions agreed after the fit")


def test_without_a_memory_there_is_nothing_to_fit(backend):
    old = old_network(backend)
    empty = backends.find(backend).ReplayBuffer(10, 3)
    result = carried(old, "2x8-relu", QUICK, replay=empty)
    assert (result.updates, result.note) == (0, "the memory is empty: nothing to fit to")


@pytest.mark.parametrize(
    ("returns", "fits", "accepted"), [([9.0], 1, True), ([4.0, 5.0], 2, True), ([4.0, 3.0, 2.0], 3, False)]
)
def test_the_guard_fits_on_while_the_new_network_is_worse_and_then_refuses(backend, returns, fits, accepted):
    """Oracle: a game in which the old network earns 5, and the new one what is said here, try by try."""
    old, left = old_network(backend), list(returns)

    def play(network, n):
        earned = np.full(n, 5.0 if network is old else left.pop(0))
        return Episodes(earned, np.ones(n, np.int64), np.full(n, np.nan), np.zeros(n))

    result = carried(old, "2x8-relu", QUICK | {"guard": 4, "tries": 3}, play=play)
    assert (result.updates, result.accepted, left) == (20 * fits, accepted, [])
    assert result.note.endswith(f"greedy return {returns[-1]:.1f} instead of 5.0")


@pytest.mark.parametrize(("options", "asked"), [({"shadow": 9}, (9, 0)), ({"shadow": 9, "guard": 4}, (9, 4))])
def test_a_shadow_is_asked_for_with_the_guard_that_ends_it(backend, options, asked):
    """The guard plays nothing at the switch, then, and refuses nothing."""
    result = carried(old_network(backend), "2x8-relu", QUICK | options, play=None)
    assert (result.shadow, result.shadow_guard, result.accepted, result.updates) == (*asked, True, 20)
    exact = carried(old_network(backend), "2x64-relu", QUICK | options | {"exact": True})
    assert (exact.shadow, exact.shadow_guard) == (0, 0)  # Q stays as it is


@pytest.mark.parametrize("box", [0.0, 0.3, 1.0])
def test_a_share_of_the_states_is_from_the_box_of_the_memory(backend, box):
    seen = some_states(500)
    switch = make_switch(old_network(backend), "2x8-relu", replay=filled_replay(backend, seen))
    states = pool(switch, 5_000, box)
    stored = {tuple(row) for row in seen}
    assert np.mean([tuple(row) not in stored for row in states]) == pytest.approx(box, abs=0.03)
    assert (states >= seen.min(axis=0)).all()
    assert (states <= seen.max(axis=0)).all()


def test_the_heads_correction_is_least_squares(backend):
    """Oracle: a head that was right before it was disturbed is found again."""
    network, states = old_network(backend, "1x8-tanh"), some_states(300)
    right, q = network.parameters, network.forward(states)
    network.weights[-1][...] += 0.3
    network.biases[-1][...] -= 2
    refit_head(network, states, q, 1e-9)
    np.testing.assert_allclose(network.parameters, right, atol=2e-3)


def test_normalized_q_values_have_two_parts_of_size_1():
    """Oracle: the moments of both parts; a part that is constant stays as it is."""
    q = np.random.default_rng(0).normal([40.0, 41.0, 42.5], 0.3, (500, 3)) + np.linspace(-90, 90, 500)[:, None]
    normalized = Scales.of(q).normalized(q)
    shared = normalized.mean(axis=1)
    np.testing.assert_allclose(normalized.mean(axis=0), 0, atol=1e-12)
    assert np.std(shared) == pytest.approx(1)
    assert np.mean((normalized - shared[:, None]) ** 2) == pytest.approx(1)
    assert (Scales.of(np.full((10, 2), 7.0)).normalized(np.full((10, 2), 7.0)) == 0).all()


def test_the_head_of_normalized_outputs_becomes_that_of_q(backend):
    """Oracle: Q computed from the outputs, and the head as it was."""
    network, states = old_network(backend, "2x8-tanh"), some_states(100)
    before, q = network.parameters, 30 * np.random.default_rng(1).normal(size=(200, 2)) - [5, 70]
    scales, outputs = Scales.of(q), network.forward(states).astype(np.float64)
    shared = outputs.mean(axis=1, keepdims=True)
    scales.put_into(network)
    wanted = scales.offset + scales.shared * shared + scales.differences * (outputs - shared)
    np.testing.assert_allclose(network.forward(states), wanted, rtol=1e-4, atol=1e-2)
    scales.take_out_of(network)
    np.testing.assert_allclose(network.parameters, before, atol=1e-4)
