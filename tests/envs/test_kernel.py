"""Making kernels and binding their parameters; oracle: the rules in EnvKernel's docstring."""

import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast.envs import Environment, EnvKernel
from nasdqn_fast.errors import InputError


def reset(params, uniforms, state, obs):
    obs[0] = state[0] = params[0]


def step(params, uniforms, state, action, obs, reward):
    obs[0] = state[0]
    reward[0] = params[1] * action
    return 0


def make_kernel(**changes):
    arguments = {
        "reset": reset,
        "step": step,
        "params": {"begin": 0.5, "gain": 2.0},
        "state_size": 1,
        "observation_size": 1,
        "n_actions": 2,
        "observation_low": (-1.0,),
        "observation_high": (1.0,),
        "max_episode_steps": 10,
        "starts": {"near": {"begin": 0.25}, "far": {"begin": 1.0}},
        "positive": ("gain",),
    }
    return EnvKernel(**(arguments | changes))


def test_params_follow_the_order_of_their_names():
    environment = make_kernel().bind(params={"gain": 3, "begin": -1})
    assert environment.params.tolist() == [-1.0, 3.0]
    assert environment.params.dtype == np.float64
    assert environment.values == {"begin": -1.0, "gain": 3.0}


def test_first_start_is_the_default_and_params_override_the_start():
    kernel = make_kernel()
    assert kernel.bind().values["begin"] == 0.25
    assert kernel.bind(start="far").values["begin"] == 1.0
    assert kernel.bind(start="far", params={"begin": 0.75}).values["begin"] == 0.75
    assert make_kernel(starts={}).bind().values["begin"] == 0.5


def test_params_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        make_kernel().bind().params[0] = 1.0


def test_time_limit_is_the_kernels_unless_given():
    assert make_kernel().bind().max_episode_steps == 10
    assert make_kernel().bind(max_episode_steps=np.int32(3)).max_episode_steps == 3


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", True, None, 1j])
def test_value_that_is_no_finite_number_is_refused(value):
    with pytest.raises(InputError, match="environment parameter begin must be a finite number"):
        make_kernel().bind(params={"begin": value})


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_value_that_has_to_be_positive_and_is_not_is_refused(value):
    with pytest.raises(InputError, match="environment parameter gain must be a finite number > 0"):
        make_kernel().bind(params={"gain": value})


@pytest.mark.parametrize("value", [0, -1, 1.5, "5", True])
def test_time_limit_that_is_no_positive_integer_is_refused(value):
    with pytest.raises(InputError, match="max_episode_steps must be an integer >= 1"):
        make_kernel().bind(max_episode_steps=value)


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown environment parameter 'gian': did you mean 'gain'\?"):
        make_kernel().bind(params={"gian": 1.0})
    with pytest.raises(InputError, match=r"unknown start 'fat': did you mean 'far'\?"):
        make_kernel().bind(start="fat")
    with pytest.raises(InputError, match="this environment has no named starts"):
        make_kernel(starts={}).bind(start="far")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": reset}, r"step must be a function of \(params, uniforms, state, action, obs, reward\)"),
        ({"reset": step}, r"reset must be a function of \(params, uniforms, state, obs\)"),
        ({"reset": None}, "reset must be a function"),
        ({"n_actions": 0}, "n_actions must be an integer"),
        ({"observation_size": 0}, "observation_size must be an integer"),
        ({"state_size": -1}, "state_size must be an integer"),
        ({"max_episode_steps": 0}, "max_episode_steps must be an integer >= 1"),
        ({"positive": ("gian",)}, "unknown environment parameter 'gian'"),
        ({"starts": {"odd": {"bgein": 1.0}}}, "unknown environment parameter 'bgein'"),
        ({"params": {"begin": math.nan, "gain": 1.0}, "starts": {}}, "begin must be a finite number"),
        (
            {"observation_low": (0.0, 0.0)},
            r"observation_low of .* must be observation_size = 1 numbers, got shape \(2,\)",
        ),
        ({"observation_low": (2.0,)}, "observation_low of .* must not be above observation_high"),
    ],
)
def test_kernel_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make_kernel(**changes)


def no_return(params, uniforms, state, action, obs, reward):
    reward[0] = 0.0


def a_path_without_return(params, uniforms, state, action, obs, reward):
    if state[0] > 1.0:
        return 1


def gymnasiums_tuple(params, uniforms, state, action, obs, reward):
    return obs, 1.0, state[0] > 1.0, False, {}


def constant_tuple(params, uniforms, state, action, obs, reward):
    return 1.0, False, False


@pytest.mark.parametrize(
    ("wrong", "got"),
    [
        (no_return, r"nothing \(None\)"),
        (a_path_without_return, r"nothing \(None\)"),
        (gymnasiums_tuple, "a tuple"),
        (constant_tuple, "a tuple"),
        (lambda params, uniforms, state, action, obs, reward: None, r"nothing \(None\)"),
    ],
)
def test_step_that_does_not_return_flags_is_refused(wrong, got):
    message = f"step of .*test_kernel returns {got}: it must return 0, TERMINATED or ERROR, and write into obs"
    with pytest.raises(InputError, match=message) as raised:
        make_kernel(step=wrong)
    assert "\n" not in str(raised.value)


def binds_reward(params, uniforms, state, action, obs, reward):
    obs[0] = 0.0
    reward = 1.0  # noqa: F841
    return 0


def binds_two(params, uniforms, state, action, obs, reward):
    obs[0], reward = state[0], 1.0  # noqa: F841
    return 0


def binds_in_a_loop(params, uniforms, state, action, obs, reward):
    for reward in (1.0, 2.0):
        obs[0] = reward
    return 0


def binds_in_a_branch(params, uniforms, state, action, obs, reward):
    if action:
        state = state + 1.0
    obs[0] = state[0]
    return 0


def binds_another_name(params, uniforms, x, action, seen, gain):
    gain = x[0]  # noqa: F841
    return 0


def binds_for_a_nested_function(params, uniforms, state, action, obs, reward):
    def paid():
        return reward

    reward = 1.0
    return int(paid())


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (binds_reward, "reward"),
        (binds_two, "reward"),
        (binds_in_a_loop, "reward"),
        (binds_in_a_branch, "state"),
        (binds_another_name, "gain"),
        (binds_for_a_nested_function, "reward"),
    ],
)
def test_step_that_binds_what_it_is_to_write_into_is_refused(wrong, name):
    line = r"\d+"
    message = f"step of .*test_kernel assigns to its argument '{name}' in line {line}, which writes nothing"
    with pytest.raises(InputError, match=f"{message} .*: write {name}.0. = ... or {name}.:. = ..., or use") as raised:
        make_kernel(step=wrong)
    assert "\n" not in str(raised.value)


def test_reset_that_binds_what_it_is_to_write_into_is_refused():
    def binds_obs(params, uniforms, state, obs):
        obs = state[0]  # noqa: F841

    with pytest.raises(InputError, match=r"reset of .* assigns to its argument 'obs'"):
        make_kernel(reset=binds_obs)


def test_what_only_looks_like_binding_is_fine():
    def in_place(params, uniforms, state, action, obs, reward):
        state += 1.0
        reward -= 2.0
        obs[:] = state[0]
        params = (1.0, 2.0)  # an argument that is only read
        reward[0] += params[0]
        return 0

    from nasdqn_fast._core.environment import EnvironmentCore

    core = EnvironmentCore(make_kernel(step=in_place).bind())
    state, observation = np.ones(1), np.zeros(1, np.float32)
    assert core.step(np.empty(0), state, 0, observation) == (-1.0, False)
    assert (state[0], observation[0]) == (2.0, 2.0)


def test_bounds_may_follow_the_parameters():
    kernel = make_kernel(observation_high=lambda params: (4 * params["gain"],))
    assert kernel.bind().observation_high.tolist() == [8.0]
    assert kernel.bind(params={"gain": 0.5}).observation_high.tolist() == [2.0]


def test_environment_survives_pickling():
    environment = make_kernel().bind(start="far", max_episode_steps=7)
    again = pickle.loads(pickle.dumps(environment))
    assert again.values == environment.values
    assert again.max_episode_steps == 7
    assert again.kernel.fingerprint() == environment.kernel.fingerprint()


def test_make_accepts_name_id_kernel_and_environment():
    kernel = envs.make("cartpole").kernel
    assert envs.make("nasdqn_fast/CartPole-v1").kernel is kernel
    assert envs.make(kernel).kernel is kernel
    assert envs.make("nasdqn_fast.envs.cartpole:plugin").kernel is kernel
    environment = kernel.bind()
    assert envs.make(environment) is environment
    assert isinstance(environment, Environment)


def test_make_passes_its_options_on():
    environment = envs.make("inverted-pendulum", start="hanging", params={"gravity": 1.6}, max_episode_steps=9)
    assert environment.values["theta_low"] == math.pi
    assert environment.values["gravity"] == 1.6
    assert environment.max_episode_steps == 9


@pytest.mark.parametrize(
    ("env", "options", "error", "message"),
    [
        ("pendulum", {}, InputError, "unknown environment 'pendulum'"),
        ("nasdqn_fast/CartPole-v9", {}, InputError, r"did you mean 'nasdqn_fast/CartPole-v1'\?"),
        ("math:pi", {}, InputError, "environment 'math:pi' must be an EnvKernel, a gymnasium.Env"),
        (3, {}, TypeError, "env must be a name, an EnvKernel, an Environment, a gymnasium.Env, .*; got int 3"),
        ("cartpole", {"start": "hanging"}, InputError, "has no named starts"),
        (
            "inverted-pendulum",
            {"params": {"dt": 0}},
            InputError,
            "environment parameter dt must be a finite number > 0",
        ),
    ],
)
def test_make_refuses(env, options, error, message):
    with pytest.raises(error, match=message):
        envs.make(env, **options)


@pytest.mark.parametrize("options", [{"start": "far"}, {"params": {"gain": 1.0}}, {"max_episode_steps": 3}])
def test_options_do_not_go_with_an_environment(options):
    with pytest.raises(InputError, match="of an Environment are fixed"):
        envs.make(make_kernel().bind(), **options)


@pytest.mark.slow
def test_numba_is_imported_to_compile_and_for_nothing_else(tmp_path):
    code = """
import sys
from nasdqn_fast import envs
environment = envs.make("inverted-pendulum")
environment.kernel.fingerprint()
assert "numba" not in sys.modules
environment.compiled()
print("numba" in sys.modules)
"""
    environment = os.environ | {"NASDQN_FAST_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-P", "-c", code]
    first, second = (subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE) for _ in range(2))
    assert (first.stdout, second.stdout) == (b"True\n", b"False\n")
