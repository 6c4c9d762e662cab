"""EnvironmentCore: the compiled functions from Python; oracle: the same functions uncompiled."""

import dataclasses
import math
import re

import numpy as np
import pytest

from nasdqn_fast import DQNAgent, envs, plugins, reference
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.envs import EnvKernel
from nasdqn_fast.envs._compiler import lockstep
from nasdqn_fast.errors import StepError


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


def branching_step(params, uniforms, state, action, obs, reward):
    """Everything that makes vector code hard: stores under conditions, early returns, a loop, an exception."""
    total = 0.0
    for uniform in uniforms:
        total += uniform if uniform > 0.3 else -uniform
    if action == 2 and total > 1.0:
        obs[0] = obs[1] = reward[0] = 0.0
        raise ValueError("rarely")
    if total < params[0]:
        state[1] = total / state[0]
    if action == 1:
        state[0] += math.sin(total)
        reward[0] = state[0]
    else:
        reward[0] = -1.0
    obs[0], obs[1] = state[0], state[1]
    return 1 if state[0] > 1.5 else 0


def branching_reset(params, uniforms, state, obs):
    obs[0] = obs[1] = state[0] = state[1] = 1.0


BRANCHING = EnvKernel(
    branching_reset,
    branching_step,
    {"threshold": 0.5},
    state_size=2,
    observation_size=2,
    n_actions=3,
    observation_low=(-1e9, -1e9),
    observation_high=(1e9, 1e9),
    max_episode_steps=100,
    step_uniforms=3,
)


def reshaping_step(params, uniforms, state, action, obs, reward):
    state.reshape((1, 2))[0, 1] += action  # Numba reshapes an array only if it lies in one piece
    obs[0], obs[1], reward[0] = state[0], state[1], 0.0
    return 0


# One stands in for kernels whose step cannot be compiled for the columns of a panel.
RESHAPING = dataclasses.replace(BRANCHING, step=reshaping_step)


def lanes_of(core, n):
    """n episodes at their starts, and what a step of theirs writes to."""
    kernel, rng = core.environment.kernel, np.random.default_rng(0)
    states, observations = np.empty((n, kernel.state_size)), np.empty((n, kernel.observation_size), np.float32)
    for state, observation in zip(states, observations, strict=True):
        core.reset(rng.random(kernel.reset_uniforms), state, observation)
    return states, observations, np.full(n, np.nan), np.full(n, -1, np.int32)


@pytest.mark.parametrize("n", [2, 7, 64, 65, 203])
@pytest.mark.parametrize("env", [*plugins.names("environments"), BRANCHING, RESHAPING])
def test_batch_is_n_single_steps_to_the_last_bit(env, n):
    core = EnvironmentCore(envs.make(env))
    kernel, rng = core.environment.kernel, np.random.default_rng(1)
    states, observations, rewards, flags = lanes_of(core, n)
    for _ in range(30):
        before = states.copy()
        actions, uniforms = rng.integers(kernel.n_actions, size=n), rng.random((n, kernel.step_uniforms))
        core.step_batch(states, actions, uniforms, observations, rewards, flags)
        for i in range(n):
            if flags[i] == 2:
                states[i] = before[i]
                with pytest.raises(StepError):
                    core.step(uniforms[i], before[i], actions[i], np.empty_like(observations[i]))
                continue
            observation = np.empty_like(observations[i])
            reward, terminated = core.step(uniforms[i], before[i], actions[i], observation)
            assert (reward, terminated) == (rewards[i], bool(flags[i]))
            assert observation.tobytes() == observations[i].tobytes()
            assert before[i].tobytes() == states[i].tobytes()


def test_the_branching_step_takes_all_its_branches():
    """Or else the test above compares less than it seems to."""
    core = EnvironmentCore(BRANCHING.bind())
    states, observations, rewards, flags = lanes_of(core, 1_000)
    rng = np.random.default_rng(0)
    core.step_batch(states, rng.integers(3, size=1_000), rng.random((1_000, 3)), observations, rewards, flags)
    assert set(flags.tolist()) == {0, 1, 2}
    assert 0 < np.count_nonzero(states[:, 1] != 1.0) < 1_000


def test_a_step_for_arrays_in_one_piece_is_called_lane_by_lane():
    assert RESHAPING.bind().compiled_lockstep() is None
    assert BRANCHING.bind().compiled_lockstep() is not None


def test_the_pendulum_in_lockstep_is_vector_code(monkeypatch, tmp_path):
    """Oracle: LLVM's own text of the optimised code, which names vectors of doubles whatever the processor."""
    monkeypatch.setenv("NASDQN_FAST_CACHE_DIR", str(tmp_path))  # code that was loaded from disk has no text
    lockstep.forget()
    code = envs.make("inverted-pendulum").compiled_lockstep()
    assert re.search(r"fmul <\d+ x double>", code.owner["lockstep"].inspect_llvm())


@pytest.mark.parametrize("n", [1, 5])
def test_a_sequence_is_its_steps(n):
    """Oracle: step_batch, once for each."""
    core = EnvironmentCore(BRANCHING.bind())
    rng = np.random.default_rng(2)
    actions, uniforms = rng.integers(2, size=(6, n)), rng.random((6, n, 3))
    expected, got = lanes_of(core, n), lanes_of(core, n)
    for action, uniform in zip(actions, uniforms, strict=True):
        core.step_batch(expected[0], action, uniform, *expected[1:])
    core.step_sequence(got[0], actions, uniforms, *got[1:])
    for mine, theirs in zip(got, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_wrong_sequences_are_refused():
    core = EnvironmentCore(BRANCHING.bind())
    states, *written = lanes_of(core, 2)
    with pytest.raises(ValueError, match=r"uniforms must be float64 of shape \(4, 2, 3\); got float64 \(4, 3\)"):
        core.step_sequence(states, np.zeros((4, 2), int), np.zeros((4, 3)), *written)
    with pytest.raises(ValueError, match="actions"):
        core.step_sequence(states, np.full((4, 2), 3), np.zeros((4, 2, 3)), *written)


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


def unknown_flags(params, uniforms, state, action, obs, reward):
    """Flags that there are not: -1, 4, 2**32, NaN, ..."""
    obs[0] = obs[1] = reward[0] = 0.0
    return params[0] if action else 0


@pytest.mark.parametrize("value", [4.0, -1.0, 5.0, 2.0**32, math.nan])
def test_flags_that_there_are_not_are_errors(value):
    kernel = dataclasses.replace(BRANCHING, step=unknown_flags)
    environment = kernel.bind(params={"threshold": value}) if math.isfinite(value) else kernel.bind()
    if not math.isfinite(value):
        object.__setattr__(environment, "params", np.array([value]))
    core = EnvironmentCore(environment)
    told = "test_core reported an error in step: it raised an exception, or returned neither 0 nor TERMINATED"
    assert core.step(np.zeros(3), np.zeros(2), 0, np.empty(2, np.float32)) == (0.0, False)
    with pytest.raises(StepError, match=told):
        core.step(np.zeros(3), np.zeros(2), 1, np.empty(2, np.float32))
    states, observations, rewards, flags = lanes_of(core, 3)
    core.step_batch(states, np.array([0, 1, 2]), np.zeros((3, 3)), observations, rewards, flags)
    assert flags.tolist() == [0, 2, 2]


@pytest.mark.parametrize("backend", [DQNAgent, reference.DQNAgent])
def test_flags_that_there_are_not_end_the_run(backend):
    agent = backend(
        dataclasses.replace(BRANCHING, step=unknown_flags).bind(params={"threshold": 4.0}), "1x4-relu", rng=0
    )
    with pytest.raises(StepError, match=r"test_core reported an error in step.*neither 0 nor TERMINATED"):
        agent.run_episodes(3)


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
