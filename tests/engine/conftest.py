"""What the tests of the engine share: both backends, and an environment whose every event is a parameter."""

import math

import numpy as np
import pytest

from nasdqn_fast.engine import backends
from nasdqn_fast.envs.kernel import ERROR, TERMINATED, EnvKernel

# Faults of an episode, which show at its second step.
ENDLESS, BAD_REWARD, BAD_OBSERVATION, BAD_RESET, FAILURE = 1, 2, 3, 4, 5
FAULTS = {
    "endless": ENDLESS,
    "reward": BAD_REWARD,
    "observation": BAD_OBSERVATION,
    "reset": BAD_RESET,
    "error": FAILURE,
}


def reset(params, uniforms, state, obs):
    """An episode has the fault if the first uniform is below params[3]; both uniforms are observed."""
    state[0] = 0
    state[1] = params[4] if uniforms[0] < params[3] else 0
    obs[0], obs[1], obs[2] = 0, uniforms[0], uniforms[1]
    if state[1] == BAD_RESET:
        obs[0] = math.nan


def step(params, uniforms, state, action, obs, reward):
    """Observations are eighths of steps, the step's uniform, the action. The fault shows at the second step."""
    length, reward_of_step, reward_of_action, fault = params[0], params[1], params[2], state[1]
    state[0] += 1
    obs[0], obs[1], obs[2] = state[0] / 8, uniforms[0], action
    reward[0] = reward_of_step * state[0] + reward_of_action * action
    if state[0] == 2 and fault == BAD_REWARD:
        reward[0] = math.nan
    if state[0] == 2 and fault == BAD_OBSERVATION:
        obs[1] = math.inf
    if state[0] == 2 and fault == FAILURE:
        return ERROR
    return TERMINATED if state[0] >= length and fault != ENDLESS else 0


SCRIPTED = EnvKernel(
    reset,
    step,
    {"length": 5.0, "reward_of_step": 0.5, "reward_of_action": 0.0, "fault_rate": 0.0, "fault": 0.0},
    state_size=2,
    observation_size=3,
    n_actions=3,
    observation_low=(0.0, 0.0, 0.0),
    observation_high=(math.inf, 1.0, 2.0),
    max_episode_steps=1_000,
    reset_uniforms=2,
    step_uniforms=1,
)


@pytest.fixture(params=backends.NAMES)
def engine(request):
    """Each backend in turn: a module with QNetwork, Optimizer, ReplayBuffer and DQNAgent."""
    return backends.find(request.param)


@pytest.fixture
def scripted():
    """Makes an environment of three actions, whose episodes end after `length` steps unless a `fault` prevents it."""

    def make(*, limit=None, fault=None, **params):
        if fault is not None:
            params["fault"] = FAULTS[fault]
        return SCRIPTED.bind(params=params, max_episode_steps=limit)

    return make


@pytest.fixture
def episodes_before_fault():
    """How many episodes of a scripted environment end before the first faulty one, in one lane, by its draws."""

    def count(rng, length, fault_rate):
        for episode in range(1_000):
            if rng.random(2)[0] < fault_rate:
                return episode
            rng.random(length)
        raise AssertionError("no episode of a thousand is faulty; choose another seed")

    return count


@pytest.fixture
def assert_equal_runs():
    """Two agents are at the same point to the bit: parameters, memory, streams, books."""

    def compare(state, expected):
        assert type(state) is type(expected)
        if isinstance(state, dict):
            assert state.keys() == expected.keys()
            for key in state:
                compare(state[key], expected[key])
        elif isinstance(state, np.ndarray):
            assert state.dtype == expected.dtype
            assert state.tobytes() == expected.tobytes()
        else:
            assert state == expected

    return lambda agent, other: compare(agent.get_state(), other.get_state())
