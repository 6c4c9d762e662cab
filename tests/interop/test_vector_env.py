"""The vector environment; oracle: Gymnasium's SyncVectorEnv over as many single environments."""

import copy
import pickle
import re

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from nasdqn_fast import envs
from nasdqn_fast.envs.kernel import ERROR, EnvKernel
from nasdqn_fast.errors import InputError, StepError
from nasdqn_fast.interop.gymnasium import KernelEnv
from nasdqn_fast.interop.vector_env import KernelVectorEnv

NAMES = ["inverted-pendulum", "cartpole", "acrobot", "mountain-car"]


def random_walk_reset(params, uniforms, state, obs):
    state[0] = uniforms[0]
    obs[0] = state[0]


def random_walk_step(params, uniforms, state, action, obs, reward):
    """Draws in every step, so that a row's stream is put out of order by one draw too many."""
    state[0] += uniforms[0] * (action - 0.5) + 0.1 * uniforms[1]
    obs[0] = state[0]
    reward[0] = uniforms[1]
    if params[0] == 1 and action == 1:
        return ERROR
    if abs(state[0]) > 1.5:
        return 1
    return 0


RANDOM_WALK = EnvKernel(
    random_walk_reset,
    random_walk_step,
    {"fails": 0},
    state_size=1,
    observation_size=1,
    n_actions=2,
    observation_low=[-3],
    observation_high=[3],
    max_episode_steps=20,
    reset_uniforms=1,
    step_uniforms=2,
)


def pair(kernel, n, mode, limit=None):
    environment = envs.make(kernel, max_episode_steps=limit)
    return (
        KernelVectorEnv(environment, n, autoreset_mode=mode),
        SyncVectorEnv([lambda: KernelEnv(environment)] * n, autoreset_mode=mode),
    )


def assert_equal(ours, theirs):
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs, strict=True):
        if isinstance(our, dict):
            assert data_equivalence(our, their)
        else:
            assert our.dtype == their.dtype
            np.testing.assert_array_equal(our, their)


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("kernel", [*NAMES, RANDOM_WALK], ids=str)
def test_rows_are_the_single_environments(kernel, mode):
    ours, theirs = pair(kernel, 5, mode, limit=30)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert ours.single_action_space == theirs.single_action_space
    assert ours.metadata["autoreset_mode"] is mode
    actions = np.random.default_rng(0)
    assert_equal(ours.reset(seed=3), theirs.reset(seed=3))
    for _ in range(100):
        chosen = actions.integers(0, ours.single_action_space.n, 5)
        answer = ours.step(chosen)
        assert_equal(answer, theirs.step(chosen))
        over = answer[2] | answer[3]
        if mode is AutoresetMode.DISABLED and over.any():
            # SyncVectorEnv takes the mask out of the caller's options.
            assert_equal(ours.reset(options={"reset_mask": over}), theirs.reset(options={"reset_mask": over}))


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from(["NextStep", "SameStep"]),
    st.sampled_from([1, 2, 9, 63, 64, 65, 70]),  # 64 are stepped at once
    st.integers(1, 9),
    st.integers(0, 2**32 - 1),
)
def test_rows_are_the_single_environments_for_any_number_and_time_limit(mode, n, limit, seed):
    ours, theirs = pair(RANDOM_WALK, n, mode, limit)
    seeds = [seed + row for row in range(n)]
    assert_equal(ours.reset(seed=seeds), theirs.reset(seed=seeds))
    for step in range(20):
        chosen = np.random.default_rng(seed + step).integers(0, 2, n)
        assert_equal(ours.step(chosen), theirs.step(chosen))
    assert_equal(ours.reset(), theirs.reset())


def test_options_of_reset_are_the_single_environments():
    ours, theirs = pair("cartpole", 3, "NextStep")
    options = {"low": -0.5, "high": 0.5}
    assert_equal(ours.reset(seed=1, options=dict(options)), theirs.reset(seed=1, options=dict(options)))
    assert_equal(ours.step(np.array([0, 1, 0])), theirs.step(np.array([0, 1, 0])))


@pytest.mark.parametrize("env_id", [f"nasdqn_fast/{envs.make(name).kernel.gymnasium_id}" for name in NAMES])
def test_make_vec_takes_the_compiled_one(env_id):
    env = gymnasium.make_vec(env_id, 3)
    assert isinstance(env.unwrapped, KernelVectorEnv)
    assert env.spec.kwargs["num_envs"] == 3
    env = gymnasium.make_vec(
        env_id, 3, vectorization_mode="vector_entry_point", max_episode_steps=2, autoreset_mode="SameStep"
    )
    env.reset(seed=0)
    env.step(np.zeros(3, int))
    *_, truncated, infos = env.step(np.zeros(3, int))
    assert truncated.all()
    assert infos["_final_obs"].all()


def test_a_balanced_cartpole_is_truncated_at_500_steps():
    env = gymnasium.make_vec("nasdqn_fast/CartPole-v1", 2)
    observations, _ = env.reset(seed=0)
    for step in range(1, 501):
        observations, _, terminated, truncated, _ = env.step((observations @ [0.1, 0.3, 3.0, 1.0] > 0).astype(int))
        assert not terminated.any()
        assert truncated.all() == (step == 500)


def test_only_masked_rows_are_reset():
    env = KernelVectorEnv("cartpole", 3, autoreset_mode="Disabled")
    first, _ = env.reset(seed=[0, 1, 2])
    stepped = env.step(np.array([0, 1, 0]))[0]
    again, _ = env.reset(seed=[0, 1, 0], options={"reset_mask": np.array([True, False, False])})
    np.testing.assert_array_equal(again[0], first[0])
    np.testing.assert_array_equal(again[1:], stepped[1:])


@pytest.mark.parametrize(
    ("mask", "error", "message"),
    [
        (np.array([True]), ValueError, "must have shape `(3,)`, got (1,)"),
        (np.array([[True, True, True]]), ValueError, "must have shape `(3,)`, got (1, 3)"),
        (np.zeros(3, bool), ValueError, "must contain a boolean array with at least one True value"),
        (np.array([1, 1, 0]), TypeError, "must have `dtype=np.bool_`, got int64"),
        ([True, True, True], TypeError, "must be a numpy array"),
    ],
)
def test_masks_are_refused_as_sync_vector_env_refuses_them(mask, error, message):
    for env in pair("cartpole", 3, "Disabled"):
        env.reset(seed=0)
        with pytest.raises(error, match=re.escape(message)):
            env.reset(options={"reset_mask": mask})


def test_seeds_are_reported_and_kept():
    env = KernelVectorEnv("cartpole", 3)
    assert len({*env.np_random_seed}) == 3
    env.reset(seed=42)
    assert env.np_random_seed == (42, 43, 44)
    env.reset()
    assert env.np_random_seed == (42, 43, 44)
    with pytest.raises(ValueError, match="one for each of the 3 rows, got 2"):
        env.reset(seed=[1, 2])


def test_what_was_returned_is_the_callers_to_keep():
    env = KernelVectorEnv("cartpole", 4)
    returned = [env.reset(seed=0)[0], env.state]
    for _ in range(3):
        returned += [*env.step(np.ones(4, int))[:4], env.state]
    kept = copy.deepcopy(returned)
    env.step(np.zeros(4, int))
    env.reset()
    for array, before in zip(returned, kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_without_copies_observations_share_their_memory():
    env = KernelVectorEnv("cartpole", 4, copy=False)
    first, _ = env.reset(seed=0)
    assert env.step(np.zeros(4, int))[0] is first
    expected, _ = pair("cartpole", 4, "NextStep")
    expected.reset(seed=0)
    np.testing.assert_array_equal(first, expected.step(np.zeros(4, int))[0])


def test_state_is_read_and_set_by_column():
    env, single = KernelVectorEnv("cartpole", 3), KernelEnv("cartpole")
    assert env.state is None
    env.reset(seed=0)
    single.reset(seed=0)
    assert env.state.shape == (4, 3)
    np.testing.assert_array_equal(env.state[:, 0], single.state)
    env.state = np.zeros((4, 3))
    single.state = np.zeros(4)
    np.testing.assert_array_equal(env.step(np.ones(3, int))[0][1], single.step(1)[0])
    env.state[:, 2] = 0.01
    assert np.all(env.state[:, 2] == 0.01)
    with pytest.raises(InputError, match=re.escape("state must be numbers of shape (4, 3), got shape (3, 4)")):
        env.state = np.zeros((3, 4))


@pytest.mark.parametrize(
    "duplicate", [lambda env: pickle.loads(pickle.dumps(env)), copy.deepcopy], ids=["pickle", "copy"]
)
@pytest.mark.parametrize("started", [False, True])
def test_copies_continue_alike_and_apart(duplicate, started):
    env = KernelVectorEnv(RANDOM_WALK, 3)
    if started:
        env.reset(seed=0)
        env.step(np.array([0, 1, 0]))
    other = duplicate(env)
    if not started:
        env.reset(seed=1)
        other.reset(seed=1)
    for step in range(40):
        chosen = np.random.default_rng(step).integers(0, 2, 3)
        assert_equal(env.step(chosen), other.step(chosen))


@pytest.mark.parametrize(
    ("actions", "error"),
    [
        ([0, 1], ValueError),
        ([0, 1, 0, 1], ValueError),
        (0, TypeError),
        ([0.0, 1.0, 0.0], TypeError),
        ([0, 1, 2], ValueError),
        ([0, 1, -1], ValueError),
    ],
)
def test_wrong_actions_are_refused_and_change_nothing(actions, error):
    env = KernelVectorEnv("cartpole", 3)
    env.reset(seed=0)
    before = env.state.copy()
    with pytest.raises(error, match="actions must be"):
        env.step(actions)
    np.testing.assert_array_equal(env.state, before)


def test_a_row_that_has_ended_is_not_stepped_without_autoreset():
    env = KernelVectorEnv("cartpole", 2, max_episode_steps=1, autoreset_mode=AutoresetMode.DISABLED)
    env.reset(seed=0)
    env.step([0, 1])
    with pytest.raises(AssertionError, match=r"rows \[0, 1\] have ended; reset them"):
        env.step([0, 1])


def test_an_error_of_the_environment_names_the_row():
    env = KernelVectorEnv(RANDOM_WALK, 3, params={"fails": 1})
    env.reset(seed=0)
    with pytest.raises(StepError, match="in row 1"):
        env.step([0, 1, 1])


def test_step_before_reset_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        KernelVectorEnv("cartpole", 2).step([0, 0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_envs": 0}, "num_envs must be"),
        ({"autoreset_mode": "never"}, "autoreset_mode must be one of 'NextStep', 'SameStep', 'Disabled', got 'never'"),
        ({"render_mode": "human"}, "must be 'rgb_array'"),
    ],
)
def test_bad_settings_are_refused_in_one_line(settings, message):
    with pytest.raises(ValueError, match=message):
        KernelVectorEnv("cartpole", **settings)


def test_metadata_is_each_instances_own():
    first, second = KernelVectorEnv("cartpole", 1), KernelVectorEnv("cartpole", 1, autoreset_mode="SameStep")
    assert first.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert second.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert "autoreset_mode" not in KernelVectorEnv.metadata


@pytest.mark.parametrize("wrapper", [gymnasium.wrappers.vector.RecordEpisodeStatistics])
def test_gymnasiums_vector_wrappers_take_it(wrapper):
    env = wrapper(gymnasium.make_vec("nasdqn_fast/CartPole-v1", 4))
    env.reset(seed=0)
    ended = 0
    for step in range(60):
        *_, infos = env.step(env.action_space.sample() if step else np.zeros(4, int))
        ended += "episode" in infos
    assert ended


def test_attributes_of_the_rows_are_read_as_of_sync_vector_env():
    ours, theirs = pair("cartpole", 3, "NextStep")
    assert ours.get_attr("state") == (None, None, None)
    for env in (ours, theirs):
        env.reset(seed=5)
    for name in ("gravity", "np_random_seed", "render_mode"):
        assert ours.get_attr(name) == theirs.get_attr(name), name
    for row, single in zip(ours.call("np_random"), theirs.call("np_random"), strict=True):
        assert row.bit_generator.state == single.bit_generator.state
    np.testing.assert_array_equal(ours.call("state"), theirs.call("state"))
    with pytest.raises(AttributeError, match="have no attribute 'gravitas'"):
        ours.get_attr("gravitas")


def test_a_parameter_is_set_in_all_rows_in_the_middle_of_their_episodes():
    ours, theirs = pair("cartpole", 3, "NextStep", limit=9)
    for env in (ours, theirs):
        env.reset(seed=5)
        env.step(np.array([0, 1, 0]))
        env.set_attr("gravity", 1.6)
        env.set_attr("x_threshold", [1.5, 1.5, 1.5])
    assert ours.observation_space.high[0, 0] == ours.single_observation_space.high[0] == 3.0
    assert ours.get_attr("gravity") == theirs.get_attr("gravity") == (1.6,) * 3
    for step in range(20):
        chosen = np.random.default_rng(step).integers(0, 2, 3)
        assert_equal(ours.step(chosen), theirs.step(chosen))


def test_states_of_the_rows_are_set():
    env = KernelVectorEnv("cartpole", 2)
    env.reset(seed=0)
    env.set_attr("state", [np.zeros(4), np.ones(4)])
    np.testing.assert_array_equal(env.state, [[0, 1]] * 4)


@pytest.mark.parametrize(
    ("name", "values", "error", "message"),
    [
        ("gravity", [9.8, 1.6, 3.7], InputError, "rows share the parameter gravity"),
        ("gravity", [9.8, 9.8], InputError, "one for each of the 3 rows, got 2"),
        ("gravity", float("nan"), InputError, "gravity must be a finite number"),
        ("spec", None, AttributeError, "no attribute 'spec' that can be set"),
    ],
)
def test_attributes_that_cannot_be_set_are_refused_and_change_nothing(name, values, error, message):
    env = KernelVectorEnv("cartpole", 3)
    with pytest.raises(error, match=message):
        env.set_attr(name, values)
    assert env.get_attr("gravity") == (9.8, 9.8, 9.8)


def test_rows_to_be_reset_are_told():
    env = KernelVectorEnv("cartpole", 2, max_episode_steps=2)
    env.reset(seed=0)
    told = []
    for _ in range(3):
        env.step([0, 1])
        told.append(env.prev_done.tolist())
    assert told == [[False, False], [True, True], [False, False]]
