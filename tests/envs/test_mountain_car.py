"""MountainCar against Gymnasium's: the same bits, step by step."""

import math

import gymnasium
import numpy as np
import pytest

from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.envs.mountain_car import plugin

NO_UNIFORMS = np.empty(0)


@pytest.fixture(scope="module")
def theirs():
    env = gymnasium.make("MountainCar-v0").unwrapped
    env.reset(seed=0)
    return env


@pytest.fixture(scope="module")
def core():
    return EnvironmentCore(plugin.bind())


def assert_same_step(theirs, core, state, action):
    """Of both, from the same state; returns whether it was the last."""
    theirs.state = tuple(state.tolist())
    obs_theirs, *rest_theirs = theirs.step(action)[:3]
    state, obs = state.copy(), np.empty(2, np.float32)
    assert list(core.step(NO_UNIFORMS, state, action, obs)) == rest_theirs
    np.testing.assert_array_equal(state, theirs.state)
    np.testing.assert_array_equal(obs, obs_theirs)
    return rest_theirs[1]


def test_one_step_from_the_same_state(theirs, core):
    rng = np.random.default_rng(0)
    ended = [
        assert_same_step(theirs, core, state, int(rng.integers(3)))
        for state in rng.uniform([-1.2, -0.07], [0.6, 0.07], (3000, 2))
    ]
    assert 0.01 < np.mean(ended) < 0.5


@pytest.mark.parametrize("velocity", [-0.07, -1e-9, 0.0, 0.07])
@pytest.mark.parametrize("x", [-1.2, 0.5, math.nextafter(0.5, 0), 0.6])
def test_walls_and_goal_are_gymnasiums(theirs, core, x, velocity):
    for action in range(3):
        assert_same_step(theirs, core, np.array([x, velocity]), action)


@pytest.mark.parametrize("seed", range(5))
def test_whole_episode_from_a_seeded_reset(theirs, core, seed):
    """Pushing the way the car moves reaches the goal."""
    obs_theirs, _ = theirs.reset(seed=seed)
    state, obs = np.empty(2), np.empty(2, np.float32)
    core.reset(np.random.default_rng(seed).random(1), state, obs)
    terminated, length = False, 0
    while not terminated:
        np.testing.assert_array_equal(state, theirs.state)
        np.testing.assert_array_equal(obs, obs_theirs)
        action, length = 2 if obs[1] >= 0 else 0, length + 1
        obs_theirs, *rest_theirs = theirs.step(action)[:3]
        reward, terminated = core.step(NO_UNIFORMS, state, action, obs)
        assert [reward, terminated] == rest_theirs
    assert 80 < length < 200


def test_limit_threshold_and_bounds_are_gymnasiums(theirs):
    spec, environment = gymnasium.spec("MountainCar-v0"), plugin.bind()
    assert (environment.max_episode_steps, plugin.threshold) == (spec.max_episode_steps, spec.reward_threshold)
    np.testing.assert_array_equal(environment.observation_low, theirs.observation_space.low)
    np.testing.assert_array_equal(environment.observation_high, theirs.observation_space.high)
