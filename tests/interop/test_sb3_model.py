"""Weights to and from Stable-Baselines3; its own predictions are the oracle."""

import gymnasium
import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast.errors import InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'nasdqn-fast[sb3]'")
sb3 = pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed")

from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize  # noqa: E402

from nasdqn_fast.interop.sb3_model import from_sb3, to_sb3  # noqa: E402

OBSERVATIONS = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)


def q_of(model, observations):
    with torch.no_grad():
        return model.policy.q_net(torch.as_tensor(observations)).numpy()


@pytest.mark.parametrize("activation", ["relu", "tanh", "leaky_relu"])
def test_a_run_predicts_the_same_there_and_back(tmp_path, activation):
    run = tmp_path / "run"
    architecture = f"24,16-{activation}"
    result = nasdqn_fast.train("fixed", architecture=architecture, env="cartpole", episodes=5, warm_up=20, out=run)
    model = to_sb3(run, seed=0)
    np.testing.assert_allclose(q_of(model, OBSERVATIONS), result.network.forward(OBSERVATIONS), rtol=1e-6, atol=1e-6)
    actions, _ = model.predict(OBSERVATIONS, deterministic=True)
    np.testing.assert_array_equal(actions, result.network.predict(OBSERVATIONS))
    target = model.policy.q_net_target.state_dict()
    for name, value in model.policy.q_net.state_dict().items():
        assert torch.equal(value, target[name])
    back = from_sb3(model)
    assert back.architecture == result.network.architecture
    np.testing.assert_array_equal(back.parameters, result.network.parameters)


def test_a_run_on_an_environment_in_python_makes_it_again(tmp_path):
    run = tmp_path / "run"
    nasdqn_fast.train("fixed-small", env="FrozenLake-v1", episodes=2, out=run)
    model = to_sb3(run)
    assert model.observation_space == gymnasium.make("FrozenLake-v1").observation_space
    assert q_of(model, np.arange(16)).shape == (16, 4)
    np.testing.assert_allclose(
        q_of(model, np.arange(16)), from_sb3(model).forward(np.eye(16, dtype=np.float32)), atol=1e-6
    )


def test_the_time_limit_of_the_run_is_the_models(tmp_path, monkeypatch):
    (tmp_path / "makes_cartpole.py").write_text(
        "from gymnasium.envs.classic_control import CartPoleEnv\n\n\ndef make():\n    return CartPoleEnv()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    run = tmp_path / "run"
    nasdqn_fast.train("fixed-small", env="makes_cartpole:make", max_episode_steps=3, episodes=2, out=run)
    env = to_sb3(run).get_env()
    env.reset()
    assert [bool(env.step([0])[2][0]) for _ in range(3)] == [False, False, True]


def test_a_trained_model_of_theirs_predicts_the_same_here():
    env = gymnasium.make("CartPole-v1")
    model = sb3.DQN("MlpPolicy", env, seed=0, learning_starts=10, policy_kwargs={"net_arch": [8]})
    model.learn(60)
    network = from_sb3(model)
    np.testing.assert_allclose(network.forward(OBSERVATIONS), q_of(model, OBSERVATIONS), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(network.predict(OBSERVATIONS), model.predict(OBSERVATIONS, deterministic=True)[0])


def test_statistics_of_vec_normalize_come_along():
    env = VecNormalize(DummyVecEnv([lambda: gymnasium.make("CartPole-v1")]), norm_reward=False)
    model = sb3.DQN("MlpPolicy", env, seed=0, learning_starts=10)
    model.learn(60)
    theirs = q_of(model, env.normalize_obs(OBSERVATIONS))
    np.testing.assert_allclose(from_sb3(model).forward(OBSERVATIONS), theirs, rtol=1e-4, atol=1e-5)
    env.clip_obs = 5.0
    with pytest.raises(InputError, match="clip_obs=10 and epsilon=1e-08, got 5 and 1e-08"):
        from_sb3(model)


def test_what_cannot_be_exchanged_is_refused_in_one_line(tmp_path):
    network = nasdqn_fast.QNetwork("2x8-relu", 4, 2, rng=0)
    with pytest.raises(InputError, match="pass env, too"):
        to_sb3(network)
    with pytest.raises(InputError, match="has 4 observations and 2 actions; the environment has"):
        to_sb3(network, gymnasium.make("Acrobot-v1"))
    with pytest.raises(InputError, match="is not a run directory"):
        to_sb3(tmp_path)
    with pytest.raises(TypeError, match=r"pass a stable_baselines3\.DQN"):
        from_sb3(network)
    agent = nasdqn_fast.DQNAgent("cartpole", "2x8-relu", rng=0, normalize_observations=True)
    with pytest.raises(InputError, match=r"interop\.torch\.to_module"):
        to_sb3(agent.network, gymnasium.make("CartPole-v1"))
