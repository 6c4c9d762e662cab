"""EnvironmentCore: the compiled functions from Python; oracle: the same functions uncompiled."""

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.envs import EnvKernel

N = 7


def reset(params, uniforms, state, obs):
    if uniforms[0] < 0.5:
        raise ValueError("a compiled callback cannot raise")
    state[0] = obs[0] = uniforms[0]


def step(params, uniforms, state, action, obs, reward):
    if action == 1:
        raise ValueError(state[0])
    if action == 2:
        return 2
    state[0] = obs[0] = 0.5 * (state[0] + uniforms[0])
    reward[0] = 1.0 / (uniforms[1] - uniforms[1])
    return 1 if uniforms[0] < 0.5 else 0


@pytest.fixture(scope="module")
def noisy():
    kernel = EnvKernel(
        reset,
        step,
        {},
        state_size=1,
        observation_size=1,
        n_actions=3,
        observation_low=(0.0,),
        observation_high=(1.0,),
        max_episode_steps=5,
        reset_uniforms=1,
        step_uniforms=2,
    )
    return EnvironmentCore(kernel.bind())


def arrays(**changes):
    """Valid arguments of reset, but for the changes."""
    return {"uniforms": np.ones(1), "state": np.empty(1), "observation": np.empty(1, np.float32)} | changes


@pytest.mark.parametrize("name", ["inverted-pendulum", "cartpole"])
def test_batch_is_n_single_steps(name):
    core = EnvironmentCore(envs.make(name))
    kernel = core.environment.kernel
    rng = np.random.default_rng(0)
    states, observations = np.empty((N, kernel.state_size)), np.empty((N, kernel.observation_size), np.float32)
    for state, observation in zip(states, observations, strict=True):
        core.reset(rng.random(kernel.reset_uniforms), state, observation)
    actions = rng.integers(kernel.n_actions, size=N)
    expected, no_uniforms = states.copy(), np.empty((N, 0))
    rewards, flags = np.full(N, np.nan), np.full(N, -1, np.int32)
    core.step_batch(states, actions, no_uniforms, observations, rewards, flags)
    for i in range(N):
        observation = np.empty(kernel.observation_size, np.float32)
        assert core.step(no_uniforms[i], expected[i], actions[i], observation) == (rewards[i], bool(flags[i]))
        np.testing.assert_array_equal(observation, observations[i])
    np.testing.assert_array_equal(states, expected)


def test_batch_hands_each_episode_its_uniforms_and_flags(noisy):
    states, observations = np.ones((4, 1)), np.empty((4, 1), np.float32)
    uniforms = np.array([[0.6, 0.0], [0.4, 0.0], [0.2, 0.0], [0.0, 0.0]])
    flags = np.empty(4, np.int32)
    noisy.step_batch(states, np.array([0, 0, 1, 2], np.uint8), uniforms, observations, np.empty(4), flags)
    assert states[:, 0].tolist() == [0.8, 0.7, 1.0, 1.0]
    assert flags.tolist() == [0, 1, 2, 2]


def test_batch_of_none(noisy):
    noisy.step_batch(
        np.empty((0, 1)),
        np.empty(0, int),
        np.empty((0, 2)),
        np.empty((0, 1), np.float32),
        np.empty(0),
        np.empty(0, np.int32),
    )


def test_division_by_zero_is_no_error(noisy):
    reward, terminated = noisy.step(np.array([0.6, 0.1]), np.ones(1), 0, np.empty(1, np.float32))
    assert reward == np.inf
    assert terminated is False


@pytest.mark.parametrize("action", [1, 2])
def test_exception_and_error_flag_are_errors(noisy, action):
    with pytest.raises(RuntimeError, match="test_core reported an error in step"):
        noisy.step(np.ones(2), np.ones(1), action, np.empty(1, np.float32))


def test_exception_in_reset_shows_as_a_non_finite_observation(noisy):
    observation = np.ones(1, np.float32)
    noisy.reset(np.array([0.25]), np.ones(1), observation)
    assert np.isnan(observation).all()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"uniforms": np.ones(2)}, ValueError, r"uniforms must be float64 of shape \(1,\); got float64 \(2,\)"),
        ({"uniforms": [1.0]}, TypeError, "uniforms must be float64"),
        ({"state": np.empty(1, np.float32)}, TypeError, r"state must be float64 of shape \(1,\); got float32"),
        ({"observation": np.empty(1)}, TypeError, "observation must be float32"),
        ({"observation": np.empty((1, 1), np.float32)}, ValueError, "observation must be float32"),
        ({"state": np.broadcast_to(0.0, 1)}, ValueError, "state is written to"),
    ],
)
def test_wrong_arrays_are_refused(noisy, changes, error, message):
    with pytest.raises(error, match=message):
        noisy.reset(**arrays(**changes))


def test_strided_array_is_read_but_not_written_to(noisy):
    core = EnvironmentCore(envs.make("cartpole"))
    uniforms, observation = np.linspace(0, 0.9, 8)[::2], np.empty(4, np.float32)
    state, expected = np.empty(4), np.empty(4)
    core.reset(uniforms, state, observation)
    core.reset(uniforms.copy(), expected, observation)
    np.testing.assert_array_equal(state, expected)
    with pytest.raises(ValueError, match="state is written to"):
        core.reset(uniforms, np.empty(8)[::2], observation)


@pytest.mark.parametrize(
    ("action", "error"), [(-1, ValueError), (3, ValueError), (2**70, ValueError), (0.0, TypeError), (True, TypeError)]
)
def test_wrong_action_is_refused(noisy, action, error):
    with pytest.raises(error, match="action must be an integer from 0 to 2"):
        noisy.step(np.ones(2), np.ones(1), action, np.empty(1, np.float32))


def test_core_keeps_parameters_and_code_alive():
    """Nothing else holds them once the environment is gone."""
    cores = [EnvironmentCore(envs.make("inverted-pendulum", params={"torque_cost": cost})) for cost in (0.5, 0.25)]
    for core, expected in zip(cores, (-1.0, 0.0), strict=True):
        state, obs = np.array([0.0, 0.0, 1.0, 0.0]), np.empty(3, np.float32)
        assert core.step(np.empty(0), state, 2, obs)[0] == expected
