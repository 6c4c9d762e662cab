"""The Gymnasium face; oracles: Gymnasium's own checker, its CartPole, and the plain functions."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from nasdqn_fast import envs, plugins
from nasdqn_fast.errors import InputError
from nasdqn_fast.interop.gymnasium import KernelEnv, register

IDS = [
    "nasdqn_fast/InvertedPendulum-v0",
    "nasdqn_fast/CartPole-v1",
    "nasdqn_fast/Acrobot-v1",
    "nasdqn_fast/MountainCar-v0",
]


def test_every_built_in_environment_has_an_id():
    registered = {env_id for env_id in gymnasium.registry if env_id.startswith("nasdqn_fast/")}
    assert registered == set(IDS)
    assert len(plugins.names("environments")) == len(IDS)


def test_registering_again_changes_nothing():
    before = dict(gymnasium.registry)
    register()
    assert gymnasium.registry == before


@pytest.mark.parametrize("env_id", IDS)
# CartPole's velocities have no bound, in Gymnasium's own either.
@pytest.mark.filterwarnings("ignore:.*A Box observation space m..imum value is -?infinity")
def test_checker_passes(env_id):
    check_env(gymnasium.make(env_id).unwrapped)


@pytest.mark.parametrize("env_id", IDS)
def test_time_limit_truncates(env_id):
    env = gymnasium.make(env_id, max_episode_steps=3)
    env.reset(seed=0)
    assert [env.step(i % 2)[2:4] for i in range(3)] == [(False, False), (False, False), (False, True)]


def test_time_limits_are_the_kernels():
    assert [gymnasium.spec(env_id).max_episode_steps for env_id in IDS] == [200, 500, 500, 200]
    for env_id in IDS[1:]:
        original = gymnasium.spec(env_id.removeprefix("nasdqn_fast/"))
        assert gymnasium.spec(env_id).reward_threshold == original.reward_threshold


def test_balanced_pole_is_truncated_at_500_steps_as_gymnasiums():
    pair = gymnasium.make("nasdqn_fast/CartPole-v1"), gymnasium.make("CartPole-v1")
    (obs, _), _ = (env.reset(seed=5) for env in pair)
    for step in range(1, 501):
        action = int(obs @ [0.1, 0.3, 3.0, 1.0] > 0)  # balances: a proportional-derivative controller
        ours, theirs = (env.step(action) for env in pair)
        assert ours[1:4] == theirs[1:4] == (1.0, False, step == 500)
        obs = ours[0]
        # Rounding of the last bit, had NumPy another sine, is damped and not amplified by the controller.
        np.testing.assert_allclose(obs, theirs[0], rtol=1e-5, atol=1e-6)


def test_seeded_reset_starts_where_gymnasium_starts():
    ours, _ = gymnasium.make("nasdqn_fast/CartPole-v1").reset(seed=7)
    theirs, _ = gymnasium.make("CartPole-v1").reset(seed=7)
    np.testing.assert_allclose(ours, theirs, rtol=2e-7)


def test_start_and_params_reach_the_kernel():
    env = gymnasium.make(IDS[0], start="hanging", params={"gravity": 1.6, "max_omega": 3.0}).unwrapped
    assert env.environment.values["gravity"] == 1.6
    np.testing.assert_array_equal(env.observation_space.high, np.float32([1, 1, 3]))
    obs, _ = env.reset(seed=0)
    np.testing.assert_allclose(obs, [-1, 0, 0], atol=1e-6)


def test_steps_are_those_of_the_plain_functions():
    environment = envs.make("inverted-pendulum", start="uniform")
    env = KernelEnv(environment)
    obs, info = env.reset(seed=3)
    assert info == {}
    state, expected, reward = np.empty(4), np.empty(3, np.float32), np.empty(1)
    environment.kernel.reset(environment.params, np.random.default_rng(3).random(2), state, expected)
    np.testing.assert_array_equal(obs, expected)
    for action in (0, 2, np.int64(1)):
        obs, got_reward, terminated, truncated, info = env.step(action)
        environment.kernel.step(environment.params, np.empty(0), state, action, expected, reward)
        np.testing.assert_array_equal(obs, expected)
        assert (got_reward, terminated, truncated, info) == (reward[0], False, False, {})


def test_observations_are_the_callers_to_keep():
    env = KernelEnv("cartpole")
    first, _ = env.reset(seed=0)
    kept = first.copy()
    env.step(0)
    env.reset()
    np.testing.assert_array_equal(first, kept)


def test_step_before_reset_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        KernelEnv("cartpole").step(0)


@pytest.mark.parametrize(("action", "error"), [(2, ValueError), (-1, ValueError), (0.0, TypeError), (None, TypeError)])
def test_no_such_action(action, error):
    env = KernelEnv("cartpole")
    env.reset(seed=0)
    with pytest.raises(error, match="action must be an integer from 0 to 1"):
        env.step(action)


def test_unknown_start_is_an_input_error():
    with pytest.raises(InputError, match="unknown start 'uprigth': did you mean 'upright'"):
        gymnasium.make(IDS[0], start="uprigth")


@pytest.mark.parametrize(
    "code",
    [
        "import nasdqn_fast, gymnasium; gymnasium.make('nasdqn_fast/CartPole-v1')",
        "import gymnasium, nasdqn_fast; gymnasium.make('nasdqn_fast/CartPole-v1')",
        "import gymnasium; gymnasium.make('nasdqn_fast:nasdqn_fast/CartPole-v1')",
        "import gymnasium; gymnasium.make_vec('nasdqn_fast:nasdqn_fast/CartPole-v1', 2, 'async').close()",
        "import nasdqn_fast.interop.gymnasium, gymnasium; gymnasium.make('nasdqn_fast/CartPole-v1')",
        "from nasdqn_fast.envs import cartpole; import gymnasium; gymnasium.make('nasdqn_fast/CartPole-v1')",
    ],
)
def test_ids_are_there_whatever_is_imported_first(code):
    subprocess.run([sys.executable, "-P", "-c", code], check=True)
