"""The contract, on every built-in environment; and that it catches what it is there for."""

import itertools

import numpy as np
import pytest

from nasdqn_fast import plugins
from nasdqn_fast.envs import EnvKernel
from nasdqn_fast.testing.environments import EnvironmentContract

CALLS = itertools.count()


class TestBuiltIns(EnvironmentContract):
    @pytest.fixture(params=plugins.names("environments"), autouse=True)
    def kernel_of_that_name(self, request):
        self.kernel = plugins.find("environments", request.param)


def sound_reset(params, uniforms, state, obs):
    state[0] = uniforms[0]
    obs[0] = obs[1] = state[0]


def sound_step(params, uniforms, state, action, obs, reward):
    state[0] = 0.5 * state[0] + 0.1 * action + 0.2 * uniforms[0]
    obs[0] = obs[1] = state[0]
    reward[0] = params[0] * state[0]
    return 1 if uniforms[0] > 0.9 else 0


def kernel_of(step=sound_step, reset=sound_reset):
    return EnvKernel(
        reset,
        step,
        {"gain": 2.0},
        state_size=1,
        observation_size=2,
        n_actions=2,
        observation_low=(0.0, 0.0),
        observation_high=(1.0, 1.0),
        max_episode_steps=20,
        reset_uniforms=1,
        step_uniforms=1,
    )


def half_written(params, uniforms, state, action, obs, reward):
    obs[0] = state[0]
    reward[0] = 0.0
    return 0


def with_a_clock(params, uniforms, state, action, obs, reward):
    obs[0] = obs[1] = 1.0 / (1.0 + next(CALLS))
    reward[0] = 0.0
    return 0


def out_of_bounds(params, uniforms, state, action, obs, reward):
    state[0] += 1.0
    obs[0] = obs[1] = state[0]
    reward[0] = 0.0
    return 0


def without_reward(params, uniforms, state, action, obs, reward):
    obs[0] = obs[1] = state[0]
    return 0


def without_flags(params, uniforms, state, action, obs, reward):
    reward[0] = 0.0
    return obs.fill(state[0])  # None


def writes_params(params, uniforms, state, action, obs, reward):
    params[0] += 1.0
    return sound_step(params, uniforms, state, action, obs, reward)


def beyond_the_end(params, uniforms, state, action, obs, reward):
    obs[2] = 1.0
    return 0


def wraps_around(params, uniforms, state, action, obs, reward):
    """Plain integers grow, compiled ones wrap around at 2**63."""
    obs[0] = obs[1] = state[0]
    reward[0] = 1e-30 * (action * 2**62 * 4)
    return 0


def diverging_reset(params, uniforms, state, obs):
    state[0] = 0.5 if uniforms[0] > 0.0 else np.inf
    obs[0] = obs[1] = state[0]


def contract_of(kernel, tolerance=0.0):
    contract = EnvironmentContract()
    contract.kernel, contract.tolerance = kernel, tolerance
    return contract


COMPILED = "test_compiled_functions_agree_with_the_plain_ones"
DEPENDS = "test_outcome_depends_on_state_action_and_uniforms_only"
BOUNDS = "test_observations_and_rewards_are_finite_and_within_bounds"
EXTREMES = "test_extreme_uniforms_give_finite_starts"


def test_every_test_of_the_contract_is_seen_to_fail_below():
    assert {COMPILED, DEPENDS, BOUNDS, EXTREMES} == {
        name for name in dir(EnvironmentContract) if name.startswith("test_")
    }


@pytest.mark.parametrize("test", [COMPILED, DEPENDS, BOUNDS, EXTREMES])
def test_sound_kernel_passes(test):
    getattr(contract_of(kernel_of()), test)()


@pytest.mark.parametrize(
    ("kernel", "test", "error", "message"),
    [
        (kernel_of(wraps_around), COMPILED, AssertionError, "reward: the compiled functions, action 1 gave 0.0"),
        (kernel_of(half_written), DEPENDS, AssertionError, "the observation has to be a function of the state"),
        (kernel_of(with_a_clock), DEPENDS, AssertionError, "the observation has to be a function of the state"),
        (kernel_of(out_of_bounds), BOUNDS, AssertionError, "is outside"),
        (kernel_of(without_reward), BOUNDS, AssertionError, "reward nan"),
        (kernel_of(without_flags), BOUNDS, AssertionError, "step returned None"),
        (kernel_of(writes_params), BOUNDS, ValueError, "read-only"),
        (kernel_of(beyond_the_end), BOUNDS, IndexError, "out of bounds"),
        (kernel_of(reset=diverging_reset), EXTREMES, AssertionError, "uniforms of 0.0 start at"),
    ],
    ids=lambda value: value.step.__name__ if isinstance(value, EnvKernel) else "",
)
def test_broken_kernel_fails(kernel, test, error, message):
    with pytest.raises(error, match=message):
        getattr(contract_of(kernel), test)()


def test_tolerance_allows_a_difference_of_rounding():
    getattr(contract_of(kernel_of(wraps_around), tolerance=1e-9), COMPILED)()
