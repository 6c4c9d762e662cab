"""The Gymnasium face; oracles: Gymnasium's own checker, its CartPole, and the plain functions."""

import copy
import pickle
import subprocess
import sys
import warnings

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


CLASSIC = ["CartPole-v1", "Acrobot-v1", "MountainCar-v0"]


def pair_of(env_id):
    """Ours and Gymnasium's, without wrappers."""
    return gymnasium.make(f"nasdqn_fast/{env_id}").unwrapped, gymnasium.make(env_id).unwrapped


def lengths_and_ends(env, steps):
    env.reset(seed=0)
    return [env.step(i % 2)[2:4] for i in range(steps)]


def test_environment_given_keeps_its_time_limit_start_and_params():
    environment = envs.make("inverted-pendulum", start="hanging", params={"gravity": 1.6}, max_episode_steps=50)
    env = KernelEnv(environment)
    ends = lengths_and_ends(env, 51)
    assert ends == [(False, False)] * 49 + [(False, True)] * 2  # as Gymnasium's TimeLimit, on after the end
    assert env.environment is environment
    env.reset()
    assert env.step(0)[3] is False


@pytest.mark.parametrize("given", [{"max_episode_steps": 5}, {"start": "hanging"}, {"params": {"gravity": 1.6}}])
def test_settings_that_conflict_are_refused(given):
    with pytest.raises(InputError, match="of an Environment are fixed"):
        KernelEnv(envs.make("inverted-pendulum", max_episode_steps=50), **given)
    KernelEnv("inverted-pendulum", **given)


def test_time_limit_of_a_name_or_kernel_is_its_own_or_the_one_given():
    kernel = envs.make("inverted-pendulum").kernel
    assert [end[1] for end in lengths_and_ends(KernelEnv(kernel), 200)] == [False] * 199 + [True]
    assert lengths_and_ends(KernelEnv("inverted-pendulum", max_episode_steps=2), 2)[-1] == (False, True)


def test_gymnasiums_time_limit_may_be_longer():
    env = gymnasium.make("nasdqn_fast/MountainCar-v0", max_episode_steps=300)
    assert [end[1] for end in lengths_and_ends(env, 300)] == [False] * 299 + [True]


def test_steps_after_the_end_pay_what_gymnasiums_cartpole_pays():
    pair = pair_of("CartPole-v1")
    for env in pair:
        env.reset(seed=0)
        env.state = np.array([2.39, 1.0, 0.0, 0.0])
    messages = []
    for action in (1, 1, 0, 0, 0, 0):
        outcomes = []
        for env in pair:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                outcomes.append(env.step(action)[1:4])
            messages.append(len(caught))
        assert outcomes[0] == outcomes[1]
    assert outcomes[0] == (0.0, True, False)
    assert messages == [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    pair[0].reset()
    assert pair[0].step(0)[1] == 1.0


@pytest.mark.parametrize("env_id", CLASSIC)
@pytest.mark.parametrize(
    "options",
    [
        None,
        {},
        {"low": -0.5, "high": 0.25},
        {"low": -0.45},
        {"high": 0.4},
        {"low": np.array(-0.4), "high": np.float32(0.25)},
        {"another": "option"},
        {"high": 0.4, "another": "option"},
    ],
)
def test_options_of_reset_are_gymnasiums(env_id, options):
    ours, theirs = pair_of(env_id)
    for seed in (3, None):
        obs, _ = ours.reset(seed=seed, options=options)
        obs_theirs, _ = theirs.reset(seed=seed, options=options)
        np.testing.assert_array_equal(ours.state, theirs.state)
        assert np.all(np.abs(obs - obs_theirs) <= np.spacing(np.abs(obs_theirs)))


@pytest.mark.parametrize(
    ("env", "options", "message"),
    [
        (
            "inverted-pendulum",
            {"low": 0.0},
            "reset of .*inverted_pendulum does not take 'low'; choose a start, or params",
        ),
        ("cartpole", {"low": np.array([0.1])}, "option of reset: low must be a finite number"),
        ("cartpole", {"low": "x"}, "option of reset: low must be a finite number"),
        ("cartpole", {"high": float("nan")}, "option of reset: high must be a finite number"),
        ("cartpole", {"low": 1.0, "high": 0.0}, "low must not be above high, got 1.0 and 0.0"),
    ],
)
def test_wrong_bounds_of_reset_are_refused_and_nothing_is_drawn(env, options, message):
    env = KernelEnv(env)
    env.reset(seed=0)
    before, state = env.np_random.bit_generator.state, env.state.copy()
    with pytest.raises(InputError, match=message) as raised:
        env.reset(seed=1, options=options)
    assert "\n" not in str(raised.value)
    assert env.np_random.bit_generator.state == before
    np.testing.assert_array_equal(env.state, state)


@pytest.mark.parametrize("env_id", CLASSIC)
def test_state_can_be_read_and_set_and_numbers_are_pythons(env_id):
    ours, theirs = pair_of(env_id)
    assert ours.state is None
    theirs.reset(seed=4)
    ours.reset(seed=0)
    ours.state = theirs.state
    np.testing.assert_array_equal(ours.state, theirs.state)
    observation, *rest, info = ours.step(1)
    theirs.step(1)
    np.testing.assert_allclose(ours.state, theirs.state, rtol=0, atol=2e-13)
    assert [type(value) for value in rest] == [float, bool, bool]
    assert (observation.dtype, info) == (np.float32, {})
    with pytest.raises(InputError, match=r"state must be \d numbers, got shape \(7,\)"):
        ours.state = np.zeros(7)


def noisy_reset(params, uniforms, state, obs):
    state[0] = obs[0] = uniforms[0]


def noisy_step(params, uniforms, state, action, obs, reward):
    state[0] = obs[0] = reward[0] = uniforms[0]
    return 1 if uniforms[0] > 0.9 else 0


NOISY = envs.EnvKernel(
    noisy_reset,
    noisy_step,
    {"x": 1.0},
    state_size=1,
    observation_size=1,
    n_actions=2,
    observation_low=(0.0,),
    observation_high=(1.0,),
    max_episode_steps=7,
    reset_uniforms=1,
    step_uniforms=1,
)


def test_np_random_is_the_generator_in_use():
    env, rng = KernelEnv(NOISY), np.random.default_rng(5)
    env.np_random = np.random.default_rng(5)
    assert env.reset()[0] == np.float32(rng.random())
    assert env.step(0)[1] == rng.random()
    env.reset(seed=6)
    assert env.np_random.random() == np.random.default_rng(6).random(2)[1]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
@pytest.mark.parametrize("at", [0, 3, 6])
@pytest.mark.filterwarnings("ignore:.*after the episode had terminated")
def test_copies_go_on_as_the_original_does(copied, at):
    env = KernelEnv(NOISY, params={"x": 2.0})
    env.reset(seed=1)
    for _ in range(at):
        env.step(0)
    again = copied(env)
    assert again.environment.values == {"x": 2.0}
    assert not again.environment.params.flags.writeable
    for _ in range(8):
        (obs, *rest), (obs_copied, *rest_copied) = env.step(1), again.step(1)
        assert (obs, rest) == (obs_copied, rest_copied)
    assert env.reset()[0] == again.reset()[0]
    assert copied(KernelEnv(NOISY)).reset(seed=2)[0] == env.reset(seed=2)[0]


@pytest.mark.parametrize("env", [NOISY, *plugins.names("environments")])
@pytest.mark.filterwarnings("ignore:.*A Box observation space m..imum value is -?infinity")
def test_checker_passes_without_make(env):
    check_env(KernelEnv(env), skip_render_check=True)


OTHER_ORDERS = [
    pytest.param(code, marks=pytest.mark.slow)
    for code in (
        "import gymnasium, nasdqn_fast; gymnasium.make('nasdqn_fast/CartPole-v1')",
        "import gymnasium; gymnasium.make('nasdqn_fast:nasdqn_fast/CartPole-v1')",
        "import nasdqn_fast.interop.gymnasium, gymnasium; gymnasium.make('nasdqn_fast/CartPole-v1')",
        "from nasdqn_fast.envs import cartpole; import gymnasium; gymnasium.make('nasdqn_fast/CartPole-v1')",
    )
]


@pytest.mark.parametrize(
    "code",
    [
        "import nasdqn_fast, gymnasium; gymnasium.make('nasdqn_fast/CartPole-v1')",
        "import gymnasium; gymnasium.make_vec('nasdqn_fast:nasdqn_fast/CartPole-v1', 2, 'async').close()",
        *OTHER_ORDERS,
    ],
)
def test_ids_are_there_whatever_is_imported_first(code):
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_parameters_are_attributes_to_read_and_to_set():
    """Oracle: Gymnasium's CartPole with the same attribute, to which both wrappers pass the name."""
    ours, theirs = gymnasium.make("nasdqn_fast/CartPole-v1"), gymnasium.make("CartPole-v1")
    for env in (ours, theirs):
        env.reset(seed=0)
        assert env.unwrapped.gravity == env.get_wrapper_attr("gravity") == 9.8
        env.step(0)
        env.set_wrapper_attr("gravity", 1.6)
        assert env.unwrapped.gravity == 1.6
    for _ in range(5):
        np.testing.assert_allclose(ours.step(1)[0], theirs.step(1)[0], rtol=1e-6)
    assert gymnasium.make("nasdqn_fast/CartPole-v1").unwrapped.gravity == 9.8
    assert pickle.loads(pickle.dumps(ours.unwrapped)).gravity == 1.6


def test_parameters_keep_start_and_time_limit_and_refuse_what_the_environment_does():
    env = KernelEnv("inverted-pendulum", start="hanging", max_episode_steps=3)
    before = env.environment.values
    with pytest.raises(InputError, match="dt must be"):
        env.dt = -1.0
    assert env.environment.values == before
    env.dt = 0.01
    assert env.environment.values == before | {"dt": 0.01}
    assert env.environment.max_episode_steps == 3
    assert not hasattr(env, "gravitas")


def test_frames_are_drawn_with_the_parameters_set():
    pytest.importorskip("pygame", reason="draws frames: pip install 'nasdqn-fast[render]'")
    env, other = (KernelEnv("cartpole", render_mode="rgb_array") for _ in range(2))
    env.reset(seed=0)
    other.reset(seed=0)
    assert np.array_equal(env.render(), other.render())
    env.half_length = 0.2
    assert not np.array_equal(env.render(), other.render())
