"""Agents that normalize observations: what their statistics are of, and when they move."""

import copy

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast.engine.base_normalizer import PRIOR

SMALL = {"warm_up": 20, "batch_size": 8, "replay_capacity": 500, "target_every": 30, "rng": 3, "learning_rate": 0.01}


def agent_on(engine, env="acrobot", network="5,4-tanh", **settings):
    environment = envs.make(env, max_episode_steps=30)
    return engine.DQNAgent(environment, network, **(SMALL | {"normalize_observations": True} | settings))


def acted_on(agent):
    """All observations that an action was chosen by, if the memory has not wrapped, and those of the next step."""
    return np.concatenate([agent.replay.transitions().observations, agent.get_state()["loop"]["observations"]])


def statistics(thing):
    state = thing.normalizer.get_state()
    return [state["count"], *state["mean"], *state["variance"]]


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("env", ["acrobot", "cartpole"])
def test_statistics_are_of_every_observation_that_is_acted_on(engine, env, num_envs):
    """Oracle: the replay memory, which holds them raw, and NumPy's mean and variance, up to the prior."""
    agent = agent_on(engine, env, num_envs=num_envs)
    agent.run_episodes(7)
    rows = acted_on(agent)
    assert agent.network.normalizer.count == len(rows) + PRIOR
    np.testing.assert_allclose(agent.network.normalizer.mean, rows.mean(axis=0, dtype=float), rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(agent.network.normalizer.variance, rows.var(axis=0, dtype=float), rtol=1e-5, atol=2e-6)


def test_network_and_target_have_the_same_statistics(engine):
    agent = agent_on(engine)
    agent.run_episodes(3)
    assert agent.target.normalizer is agent.network.normalizer


def test_statistics_that_were_replaced_are_those_that_move(engine):
    agent = agent_on(engine)
    agent.run_episodes(2)
    steps = agent.steps
    state = {"mean": np.ones(6), "variance": np.ones(6), "count": 5.0}
    agent.network.set_normalizer_state(state)
    agent.run_episodes(2)
    assert agent.network.normalizer.count == 5.0 + agent.steps - steps


def test_neither_greedy_episodes_nor_actions_nor_updates_move_them(engine):
    agent = agent_on(engine)
    agent.run_episodes(3)
    before = statistics(agent.network)
    agent.play_episodes(2)
    agent.act(np.ones((4, 6), np.float32))
    agent.learn()
    assert statistics(agent.network) == before


def test_it_acts_and_learns_on_what_its_network_makes_of_raw_observations(engine):
    """Oracle: an agent that does not normalize, whose memory holds observations that are normalized."""
    agent = agent_on(engine, num_envs=2)
    agent.run_episodes(4)
    normalizer = agent.network.normalizer
    rows = agent.replay.transitions()

    def normalized(x):
        center, scale = normalizer.mean.astype(np.float32), 1 / np.sqrt(normalizer.variance + 1e-8)
        return np.clip((x - center) * scale.astype(np.float32), -10, 10)

    other = agent_on(engine, normalize_observations=False)
    other.network.parameters, other.target.parameters = agent.network.parameters, agent.target.parameters
    other.replay.add_batch(
        normalized(rows.observations),
        rows.actions,
        rows.rewards,
        normalized(rows.next_observations),
        rows.terminated,
        rows.truncated,
    )
    other.replay.rng.bit_generator.state = agent.replay.rng.bit_generator.state
    x = rows.observations[:9]
    np.testing.assert_array_equal(agent.act(x), other.act(normalized(x)))
    assert agent.learn() == pytest.approx(other.learn(), rel=1e-6)
    np.testing.assert_allclose(agent.network.parameters, other.network.parameters, rtol=1e-5, atol=1e-7)


def test_statistics_survive_a_switch_and_the_old_network_keeps_its_own(engine):
    agent = agent_on(engine)
    agent.run_episodes(3)
    old, before, x = agent.network, statistics(agent.network), acted_on(agent)[:5]
    q = old.forward(x)
    agent.switch_network(old.like("3x4-relu", 1))
    assert statistics(agent.network) == before
    agent.run_episodes(3)
    assert agent.network.normalizer.count == len(acted_on(agent)) + PRIOR
    assert statistics(old) == before
    np.testing.assert_array_equal(old.forward(x), q)


def test_an_agent_that_has_seen_nothing_continues_from_the_networks_statistics(engine, tmp_path):
    agent = agent_on(engine)
    agent.run_episodes(3)
    agent.network.save(tmp_path / "network.npz")
    loaded = engine.QNetwork.load(tmp_path / "network.npz")
    other = agent_on(engine, network=loaded, rng=9)
    assert statistics(other.network) == statistics(agent.network)
    other.run_episodes(1)
    assert other.network.normalizer.count == agent.network.normalizer.count + len(acted_on(other))


def test_an_agent_that_has_seen_something_keeps_its_statistics(engine):
    one, other = agent_on(engine), agent_on(engine, rng=4)
    one.run_episodes(2)
    other.run_episodes(3)
    before = statistics(one.network)
    one.switch_network(other.network.copy())
    assert statistics(one.network) == before


def test_without_the_option_a_networks_statistics_stand_still(engine):
    agent = agent_on(engine)
    agent.run_episodes(3)
    before = statistics(agent.network)
    other = agent_on(engine, network=agent.network.copy(), normalize_observations=False)
    other.run_episodes(5)
    assert statistics(other.network) == statistics(other.target) == before
    assert statistics(agent.network) == before
    again = agent_on(engine, normalize_observations=False)
    again.set_state(other.get_state())
    assert statistics(again.network) == before
    assert again.learn() == other.learn()


def test_a_file_from_a_network_acts_equally_on_raw_observations(engine, tmp_path):
    agent = agent_on(engine)
    agent.run_episodes(4)
    agent.network.save(tmp_path / "network.npz")
    x = acted_on(agent)
    loaded = engine.QNetwork.load(tmp_path / "network.npz")
    np.testing.assert_array_equal(loaded.forward(x), agent.network.forward(x))
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "network.npz").read_bytes()


def test_an_agents_file_continues_to_the_bit(engine, tmp_path, assert_equal_runs):
    agent = agent_on(engine, num_envs=2)
    agent.run_episodes(4)
    agent.save(tmp_path / "agent.npz")
    loaded = type(agent).load(tmp_path / "agent.npz")
    for one in (agent, loaded):
        one.run_episodes(3)
    assert_equal_runs(loaded, agent)


def test_a_copy_shares_nothing_with_the_original(engine, assert_equal_runs):
    agent = agent_on(engine)
    agent.run_episodes(3)
    before = statistics(agent.network)
    other = copy.deepcopy(agent)
    assert other.target.normalizer is other.network.normalizer
    other.run_episodes(2)
    assert statistics(agent.network) == before
    agent.run_episodes(2)
    assert_equal_runs(other, agent)


def test_a_state_without_statistics_is_refused(engine):
    state = agent_on(engine, normalize_observations=False).get_state()
    with pytest.raises(KeyError, match="normalizer"):
        agent_on(engine).set_state(state)


def test_a_network_that_the_loop_refuses_keeps_what_it_had(engine, monkeypatch):
    agent = agent_on(engine)
    agent.run_episodes(2)
    network, before = engine.QNetwork("1x4-relu", 6, 3), statistics(agent.network)
    monkeypatch.setattr(agent, "_use", lambda *parts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        agent.switch_network(network)
    assert network.normalizer is None
    assert statistics(agent.network) == before
