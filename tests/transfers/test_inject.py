"""The new network on top of the frozen old one, and the fold of both into one. 3 numbers are seen, 2 actions taken."""

import numpy as np
import pytest

from nasdqn_fast.engine import backends
from nasdqn_fast.testing.transfers import PAIRS, filled_replay, make_switch, some_states, trained_network
from nasdqn_fast.transfers.base import apply, make
from nasdqn_fast.transfers.distill import Distill

QUICK = {"steps": 20}


def carried(name, old, after, options=None, **given):
    return apply(make(name, options or {}), make_switch(old, after, 8, **given))[0]


def sum_of(backend, before="2x32-relu", after="2x16-tanh"):
    """An injected network that has learned: its Q is that of neither network."""
    old = trained_network(backend, before)
    old.biases[-1][...] += 50
    new = carried("inject", old, after).network
    for weights in new.weights:
        weights[...] *= 1.2
    return new


@pytest.mark.parametrize(("before", "after"), PAIRS)
@pytest.mark.parametrize("normalizes", [False, True])
def test_q_is_that_of_the_old_network_whatever_the_change(backend, before, after, normalizes):
    """Over a box three times as wide as the memory's observations: max |dQ| <= 1e-5 max |Q|."""
    old, states = trained_network(backend, before), 3 * some_states(1_000)
    old.biases[-1][...] += 50
    if normalizes:
        old.normalizer = old.normalizer_type(3)
        old.normalizer.update(some_states(50))
    q = old.forward(states)
    assert np.abs(carried("inject", old, after).network.forward(states) - q).max() <= 1e-5 * np.abs(q).max()


def test_the_optimizer_begins_anew_and_the_fold_is_asked_for(backend):
    result = carried("inject", trained_network(backend, "2x32-relu"), "3x8-tanh", {"fold_after": 70})
    assert (result.optimizer, result.fold_after, result.updates) == (None, 70, 0)
    assert result.note == "Q is that of 3 networks until they are folded"


@pytest.mark.parametrize(("after", "networks"), [("2x64-relu", 0), ("3x32-relu", 0), ("2x16-relu", 2)])
def test_with_exact_nothing_is_added_where_net2net_preserves_q(backend, after, networks):
    old = trained_network(backend, "2x32-relu")
    result = carried("inject", old, after, {"exact": True})
    assert len(result.network.base) == networks
    np.testing.assert_allclose(result.network.forward(some_states(50)), old.forward(some_states(50)), rtol=1e-5)


@pytest.mark.parametrize("name", ["inject", "distill"])
def test_a_fold_is_one_network_with_the_values_of_the_sum(name):
    """Oracle: the sum, on states that were not fitted. `distill`, too, has to fit where a network becomes itself."""
    old, states = sum_of("native"), some_states(4_000)
    replay = filled_replay("native", states[:2_000])
    result = carried(name, old, str(old.architecture), replay=replay)
    q, folded = old.forward(states[2_000:]), result.network.forward(states[2_000:])
    assert not result.network.base
    assert result.network.architecture == old.architecture
    assert np.abs(folded - q).mean() < 0.02 * np.abs(q).mean()
    assert np.mean(folded.argmax(axis=1) == q.argmax(axis=1)) > 0.85
    assert result.updates == Distill.Options().steps


def test_both_backends_fold_to_the_same_network():
    folded = [
        carried("inject", sum_of(backend, after="16,9-tanh"), "16,9-tanh", QUICK).network for backend in backends.NAMES
    ]
    np.testing.assert_allclose(folded[0].parameters, folded[1].parameters, atol=1e-3)


def test_without_a_memory_the_sum_stays(backend):
    old = sum_of(backend)
    result = carried("inject", old, "2x16-tanh", replay=backends.find(backend).ReplayBuffer(10, 3))
    assert (result.accepted, result.note) == (False, "the memory is empty: nothing to fit to")


def test_a_sum_that_was_not_folded_is_injected_into_whole(backend):
    old, states = sum_of(backend), some_states(500)
    new = carried("inject", old, "1x5-relu").network
    q = old.forward(states)
    assert np.abs(new.forward(states) - q).max() <= 1e-5 * np.abs(q).max()
    assert [str(network.architecture) for network, _ in new.base] == ["1x5-relu", "2x16-tanh", "2x16-tanh", "2x32-relu"]


def test_net2net_says_that_a_sum_is_not_preserved(backend):
    result = carried("net2net", sum_of(backend), "2x32-tanh")
    assert result.note == "Q is not preserved: the networks that were added to the old one are missing"
