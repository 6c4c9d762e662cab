"""CartPole against Gymnasium's, step by step from the same state."""

import math

import gymnasium
import numpy as np
import pytest

from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.envs.cartpole import plugin
from nasdqn_fast.envs.kernel import TERMINATED

X_THRESHOLD, THETA_THRESHOLD = 2.4, 12 * 2 * math.pi / 360
NO_UNIFORMS = np.empty(0)


@pytest.fixture(scope="module")
def theirs():
    return gymnasium.make("CartPole-v1").unwrapped


def step_theirs(env, state, action):
    env.reset(seed=0)
    env.state = np.array(state)
    obs, reward, terminated, _, _ = env.step(action)
    return env.state, obs, reward, terminated


def step_ours(state, action):
    state, obs, reward = np.array(state), np.empty(4, np.float32), np.empty(1)
    flags = plugin.step(plugin.bind().params, NO_UNIFORMS, state, action, obs, reward)
    return state, obs, reward[0], flags == TERMINATED


@pytest.mark.parametrize("action", [0, 1])
def test_one_step_from_the_same_state(theirs, action):
    """States all over the range. Tolerance: NumPy's sine and ours may differ in the last bit."""
    rng = np.random.default_rng(0)
    for state in rng.uniform(-1, 1, (500, 4)) * [3.0, 4.0, 0.3, 4.0]:
        state_theirs, obs_theirs, *rest_theirs = step_theirs(theirs, state, action)
        state_ours, obs_ours, *rest_ours = step_ours(state, action)
        np.testing.assert_allclose(state_ours, state_theirs, rtol=1e-14, atol=1e-14)
        np.testing.assert_allclose(obs_ours, obs_theirs, rtol=2e-7)
        assert rest_ours == rest_theirs


@pytest.mark.parametrize(("index", "threshold"), [(0, X_THRESHOLD), (2, THETA_THRESHOLD)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_threshold_itself_is_still_inside(theirs, index, threshold, sign):
    for value, expected in [(threshold, False), (math.nextafter(threshold, 9), True)]:
        state = np.zeros(4)  # at rest: the position after the step is the one before it
        state[index] = sign * value
        assert step_theirs(theirs, state, 1)[3] is expected
        assert step_ours(state, 1)[3] is expected


def test_seeded_reset_starts_where_gymnasium_starts(theirs):
    obs_theirs, _ = theirs.reset(seed=11)
    state, obs = np.empty(4), np.empty(4, np.float32)
    plugin.reset(plugin.bind().params, np.random.default_rng(11).random(4), state, obs)
    np.testing.assert_allclose(obs, obs_theirs, rtol=2e-7)


def test_whole_episodes_of_the_compiled_functions(theirs):
    core = EnvironmentCore(plugin.bind())
    rng = np.random.default_rng(1)
    state, obs, lengths = np.empty(4), np.empty(4, np.float32), []
    for _ in range(30):
        core.reset(rng.random(4), state, obs)
        theirs.reset(seed=0)
        theirs.state = state.copy()
        terminated, length = False, 0
        while not terminated:
            action, length = int(rng.integers(2)), length + 1
            reward, terminated = core.step(NO_UNIFORMS, state, action, obs)
            obs_theirs, reward_theirs, terminated_theirs, _, _ = theirs.step(action)
            # Rounding errors of some 1e-16 grow with the falling pole's exponential, within an episode to 1e-12.
            np.testing.assert_allclose(state, theirs.state, rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(obs, obs_theirs, rtol=2e-7, atol=1e-10)
            assert (reward, terminated) == (reward_theirs, terminated_theirs)
        lengths.append(length)
    assert max(lengths) > 30


def test_time_limit_is_gymnasiums():
    assert plugin.max_episode_steps == gymnasium.spec("CartPole-v1").max_episode_steps == 500


def test_bounds_are_gymnasiums(theirs):
    environment = plugin.bind()
    np.testing.assert_array_equal(environment.observation_low, theirs.observation_space.low)
    np.testing.assert_array_equal(environment.observation_high, theirs.observation_space.high)


def test_physics_are_parameters():
    heavy = plugin.bind(params={"cart_mass": 100.0})
    moved = []
    for environment in (plugin.bind(), heavy):
        state, obs, reward = np.zeros(4), np.empty(4, np.float32), np.empty(1)
        plugin.step(environment.params, NO_UNIFORMS, state, 1, obs, reward)
        moved.append(state[1])
    # From rest, upright: (4/3) F dt / (4/3 M - m) with M the total mass (Florian 2007 at theta = 0).
    expected = [4 / 3 * 10 * 0.02 / (4 / 3 * total - 0.1) for total in (1.1, 100.1)]
    np.testing.assert_allclose(moved, expected, rtol=1e-12)
