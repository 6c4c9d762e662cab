"""Keeping the target's values of stored transitions saves a forward pass and changes no bit."""

import functools

import numpy as np
import pytest

from nasdqn_fast.engine import agent as agent_module
from nasdqn_fast.engine.agent import DQNAgent

CASES = {
    "the paper's agent": {},
    "a small ring, written over": {"replay_capacity": 300, "warm_up": 64},
    "many copies": {"target_every": 7, "updates_per_step": 2},
    "two panels a batch": {"batch_size": 100, "replay_capacity": 400, "warm_up": 100},
    "the target's own choice": {"double": False, "target_every": 50},
    "Polyak averaging": {"target_tau": 0.3, "target_every": 5},
    "copies by steps": {"target_unit": "steps", "target_every": 40},
    "n-step returns": {"n_step": 3, "target_every": 50, "replay_capacity": 300},
    "n-step returns, lanes": {"n_step": 4, "num_envs": 3, "double": False, "horizon_is": "truncated", "batch_size": 70},
    "prioritized draws": {"replay_sampling": "prioritized", "replay_capacity": 300},
    "n-step returns of prioritized draws": {"n_step": 3, "replay_sampling": "prioritized", "replay_capacity": 300},
    "lanes, Adam": {"num_envs": 3, "optimizer": "adam", "horizon_is": "truncated"},
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def pair(request, monkeypatch):
    """Two agents of one seed: one keeps the values, the other, the oracle, computes them every time."""

    def make():
        return DQNAgent("inverted-pendulum", "9,17-tanh", rng=3, **{"warm_up": 200, **request.param})

    keeping = make()
    uncached = functools.partial(agent_module.LearnerCore, caches_targets=False)
    monkeypatch.setattr(agent_module, "LearnerCore", uncached)
    return keeping, make()


def assert_equal_after(pair, change=lambda agent: None, episodes=5):
    losses = []
    for agent in pair:
        change(agent)
        losses.append([*agent.run_episodes(episodes).losses, agent.learn()])
    np.testing.assert_array_equal(*losses)
    np.testing.assert_array_equal(*(agent.network.parameters for agent in pair))


def test_a_run_has_the_same_bits(pair):
    assert_equal_after(pair, episodes=12)


def test_what_is_written_between_two_calls_is_seen(pair):
    transition = np.full(3, 0.5, np.float32), 2, -3.0, np.full(3, -0.5, np.float32), True, False
    assert_equal_after(pair)
    assert_equal_after(pair, lambda agent: agent.target.weights[0].__setitem__((0, 0), 0.7))
    assert_equal_after(pair, lambda agent: agent.replay.add(*transition))
    assert_equal_after(pair, lambda agent: agent.replay.prune(0.5))
    assert_equal_after(pair, lambda agent: agent.switch_network(agent.network.like("4x8-relu", 1)))
    assert_equal_after(pair, lambda agent: agent.set_state(agent.get_state()))


def test_the_losses_depend_on_the_target(pair):
    """Else values kept from an earlier target would go unnoticed above. The same draws, another target."""
    _, agent = pair
    agent.run_episodes(8)
    state = agent.get_state()
    loss = agent.learn()
    agent.set_state(state)
    assert agent.learn() == loss
    agent.set_state(state)
    agent.target.weights[-1][...] *= 2
    assert agent.learn() != loss
