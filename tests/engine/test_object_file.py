"""Agents and memories in files: restored to the bit, refused with a reason, by both backends alike."""

import numpy as np
import pytest

from nasdqn_fast import envs, reference
from nasdqn_fast.engine import DQNAgent, ReplayBuffer, backends
from nasdqn_fast.errors import InputError

SETTINGS = {
    "optimizer": "adam",
    "replay_capacity": 60,
    "batch_size": 8,
    "warm_up": 20,
    "num_envs": 3,
    "policy_epsilon_end": 0.1,
}


def trained(engine, env="cartpole", **more):
    agent = engine.DQNAgent(env, "8,6-tanh", rng=5, **SETTINGS, **more)
    agent.run_episodes(7)
    return agent


def test_a_loaded_agent_trains_on_to_the_same_bits(engine, tmp_path, assert_equal_runs):
    agent = trained(engine)
    agent.save(tmp_path / "agent.npz")
    loaded = engine.DQNAgent.load(tmp_path / "agent.npz")
    assert loaded.settings == agent.settings
    assert loaded.environment.fingerprint() == agent.environment.fingerprint()
    assert_equal_runs(loaded, agent)
    np.testing.assert_array_equal(loaded.run_episodes(9).returns, agent.run_episodes(9).returns)
    assert_equal_runs(loaded, agent)
    assert loaded.streams.child("guard", 3).random() == agent.streams.child("guard", 3).random()


def test_a_loaded_agents_memory_draws_from_the_stream_that_it_drew_from(engine, tmp_path, assert_equal_runs):
    replay = engine.ReplayBuffer(60, 4, np.random.Generator(np.random.MT19937(3)))
    for agent in (trained(engine), trained(engine, replay=replay)):
        agent.save(tmp_path / "agent.npz")
        loaded = engine.DQNAgent.load(tmp_path / "agent.npz")
        loaded.learn()
        agent.learn()
        assert_equal_runs(loaded, agent)
        assert (loaded.replay.rng is loaded.streams.replay) is (agent.replay.rng is agent.streams.replay)


def test_each_backend_reads_the_others_files(tmp_path):
    first, second = (backends.find(name) for name in backends.NAMES)
    for writer, reader in ((first, second), (second, first)):
        agent = trained(writer)
        agent.save(tmp_path / "agent.npz")
        agent.replay.save(tmp_path / "replay.npz")
        loaded = reader.DQNAgent.load(tmp_path / "agent.npz")
        assert loaded.network.parameters.tobytes() == agent.network.parameters.tobytes()
        memory = reader.ReplayBuffer.load(tmp_path / "replay.npz")
        assert memory.sample(5).rewards.tobytes() == agent.replay.sample(5).rewards.tobytes()


def test_double_precision_stays(tmp_path, assert_equal_runs):
    agent = trained(reference, dtype=np.float64)
    agent.save(tmp_path / "agent.npz")
    assert_equal_runs(reference.DQNAgent.load(tmp_path / "agent.npz"), agent)
    with pytest.raises(InputError, match=r"agent.npz' cannot be restored here: .* must be float32"):
        DQNAgent.load(tmp_path / "agent.npz")


def test_parameters_and_time_limit_come_along(engine, tmp_path, scripted):
    agent = trained(engine, scripted(length=9.0, limit=5))
    agent.save(tmp_path / "agent.npz")
    loaded = engine.DQNAgent.load(tmp_path / "agent.npz", scripted().kernel)
    assert loaded.environment.values == agent.environment.values
    assert loaded.environment.max_episode_steps == 5
    with pytest.warns(UserWarning, match="saved with another environment"):
        engine.DQNAgent.load(tmp_path / "agent.npz", scripted(length=8.0))
    with (
        pytest.warns(UserWarning, match="saved with another environment"),
        pytest.raises(InputError, match="cannot be restored here"),
    ):
        engine.DQNAgent.load(tmp_path / "agent.npz", envs.make("mountain-car"))


@pytest.mark.parametrize("stored", [0, 5, 33])
def test_a_loaded_memory_is_the_same_one(engine, tmp_path, stored):
    replay = engine.ReplayBuffer(20, 2, rng=np.random.Generator(np.random.Philox(8)))
    for i in range(stored):
        replay.add(np.full(2, i, np.float32), i, float(i), np.full(2, -i, np.float32), i % 3 == 0, False)
    replay.save(tmp_path / "replay.npz")
    loaded = engine.ReplayBuffer.load(tmp_path / "replay.npz")
    assert (loaded.capacity, loaded.observation_size, len(loaded)) == (20, 2, min(stored, 20))
    for memory in (loaded, replay):
        memory.add(np.ones(2, np.float32), 1, 1.0, np.ones(2, np.float32), False, True)
    for name, array in vars(replay.transitions()).items():
        np.testing.assert_array_equal(getattr(loaded.transitions(), name), array)
    np.testing.assert_array_equal(loaded.sample(40).actions, replay.sample(40).actions)


def test_other_files_are_refused_with_the_reason(engine, tmp_path):
    path = tmp_path / "replay.npz"
    engine.ReplayBuffer(20, 2).save(path)
    with pytest.raises(InputError, match="has format 'nasdqn-fast replay memory 1', 'nasdqn-fast agent 1' is read"):
        engine.DQNAgent.load(path)
    with pytest.raises(InputError, match=r"cannot read .*No such file"):
        engine.ReplayBuffer.load(tmp_path / "none.npz")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged or foreign file .*its digest is that of other bytes"):
        engine.ReplayBuffer.load(path)


def test_a_file_holds_no_pickle(tmp_path):
    ReplayBuffer(20, 2).save(tmp_path / "replay.npz")
    with np.load(tmp_path / "replay.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


def test_an_environment_whose_maker_needs_a_parameter_is_made_with_it_once(engine, tmp_path, monkeypatch):
    (tmp_path / "needs_gravity.py").write_text(
        "from gymnasium.envs.classic_control import CartPoleEnv\n\nmade = []\n\n\n"
        "def make(gravity):\n    env = CartPoleEnv()\n    env.gravity = gravity\n"
        "    made.append(gravity)\n    return env\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    environment = envs.make("needs_gravity:make", params={"gravity": 5.5}, max_episode_steps=9)
    engine.DQNAgent(environment, "1x4-relu", rng=0).save(tmp_path / "agent.npz")
    made = __import__("needs_gravity").made
    before = len(made)
    loaded = engine.DQNAgent.load(tmp_path / "agent.npz")
    assert made[before:] == [5.5]
    assert (loaded.environment.values, loaded.environment.limit) == ({"gravity": 5.5}, 9)
