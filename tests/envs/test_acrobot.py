"""Acrobot against Gymnasium's, step by step from the same state."""

import math

import gymnasium
import numpy as np
import pytest

from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.envs.acrobot import plugin, wrap

NO_UNIFORMS = np.empty(0)
RANGE = np.array([math.pi, math.pi, 4 * math.pi, 9 * math.pi])


@pytest.fixture(scope="module")
def theirs():
    env = gymnasium.make("Acrobot-v1").unwrapped
    env.reset(seed=0)
    return env


@pytest.fixture(scope="module")
def core():
    return EnvironmentCore(plugin.bind())


def test_one_step_from_the_same_state(theirs, core):
    """States all over the range. Gymnasium squares by `pow`, whose last bit is now and then not that of a product."""
    rng = np.random.default_rng(0)
    same = []
    for start in rng.uniform(-1, 1, (3000, 4)) * RANGE:
        action = int(rng.integers(3))
        theirs.state = start.copy()
        obs_theirs, *rest_theirs = theirs.step(action)[:3]
        state, obs = start.copy(), np.empty(6, np.float32)
        assert list(core.step(NO_UNIFORMS, state, action, obs)) == rest_theirs
        # Some 1e-16 of velocities up to 28 rad/s and accelerations up to 1e3 rad/s^2.
        np.testing.assert_allclose(state, theirs.state, rtol=0, atol=2e-13)
        np.testing.assert_allclose(obs, obs_theirs, rtol=1.2e-7, atol=2e-13)
        same.append(np.array_equal(state, theirs.state))
    # Nearly always the very bits; unless NumPy was built with a sine of its own, not the C library's.
    x = rng.uniform(-9, 9, 3000)
    if np.array_equal(np.cos(x), [math.cos(value) for value in x]):
        assert np.mean(same) > 0.98


def test_whole_episodes_by_a_policy_that_reaches_the_goal(theirs, core):
    """Pushing the way the second link swings: from the state that Gymnasium's took, at every step, to the goal."""
    for seed in range(3):
        obs_theirs, _ = theirs.reset(seed=seed)
        obs, reward, terminated, length = np.empty(6, np.float32), -1.0, False, 0
        while not terminated:
            assert reward == -1.0
            action = 2 if obs_theirs[5] > 0 else 0
            state = np.array(theirs.state, np.float64)
            obs_theirs, reward_theirs, terminated_theirs, _, _ = theirs.step(action)
            reward, terminated = core.step(NO_UNIFORMS, state, action, obs)
            assert (reward, terminated) == (reward_theirs, terminated_theirs)
            np.testing.assert_allclose(state, theirs.state, rtol=0, atol=2e-13)
            length += 1
        assert reward == 0.0
        assert length < 500


@pytest.mark.parametrize("seed", range(20))
def test_seeded_reset_starts_where_gymnasium_starts(theirs, core, seed):
    """In state to the bit; in observation to one float32 unit, for Gymnasium rounds its cosine twice."""
    obs_theirs, _ = theirs.reset(seed=seed)
    state, obs = np.empty(4), np.empty(6, np.float32)
    core.reset(np.random.default_rng(seed).random(4), state, obs)
    np.testing.assert_array_equal(state, theirs.state)
    assert np.all(np.abs(obs - obs_theirs) <= np.spacing(np.abs(obs_theirs)))


def test_limit_threshold_and_bounds_are_gymnasiums(theirs):
    spec, environment = gymnasium.spec("Acrobot-v1"), plugin.bind()
    assert (environment.max_episode_steps, plugin.threshold) == (spec.max_episode_steps, spec.reward_threshold)
    np.testing.assert_array_equal(environment.observation_low, theirs.observation_space.low)
    np.testing.assert_array_equal(environment.observation_high, theirs.observation_space.high)


def test_energy_is_kept_without_torque():
    """Physics, which Gymnasium knows nothing of: with small steps and no torque the links keep their energy."""
    environment = plugin.bind(params={"dt": 0.001, "torque": 0.0})
    core, state, obs = EnvironmentCore(environment), np.array([1.0, 0.5, 0.3, -0.2]), np.empty(6, np.float32)

    def energy():
        a, b, va, vb = state
        # The joint's velocity, and the second link's centre's.
        x, y = (
            va * math.cos(a) + 0.5 * (va + vb) * math.cos(a + b),
            va * math.sin(a) + 0.5 * (va + vb) * math.sin(a + b),
        )
        kinetic = 0.5 * (0.25 * va**2 + x**2 + y**2 + va**2 + (va + vb) ** 2)
        return kinetic - 9.8 * (0.5 * math.cos(a) + math.cos(a) + 0.5 * math.cos(a + b))

    before = energy()
    for _ in range(2000):
        core.step(NO_UNIFORMS, state, 2, obs)
    assert energy() == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize("theta", [math.inf, -math.inf, math.nan, 1e300, -1e20, 4.0, -10.0, math.pi, -math.pi])
def test_wrapping_ends_whatever_the_angle(theta):
    with np.errstate(invalid="ignore"):
        wrapped = wrap(theta)
    assert math.isnan(wrapped) == (not math.isfinite(theta))
    assert math.isnan(wrapped) or -math.pi <= wrapped <= math.pi
    if abs(theta) < 100:
        assert (math.cos(wrapped), math.sin(wrapped)) == pytest.approx((math.cos(theta), math.sin(theta)), abs=1e-14)
