"""Environments stepped in Python. Oracles: the compiled kernels, Gymnasium's vector environment, and the NumPy twin."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import nasdqn_fast
from nasdqn_fast import envs, reference
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.envs.cartpole import plugin as cartpole
from nasdqn_fast.errors import InputError, NonFiniteError, StepError, Stopped
from nasdqn_fast.interop.gymnasium import KernelEnv
from nasdqn_fast.seeding import Streams

LEARNING = {"warm_up": 50, "batch_size": 8, "replay_capacity": 500}
BACKENDS = pytest.mark.parametrize("agent_type", [DQNAgent, reference.DQNAgent], ids=["native", "numpy"])


class Line(gymnasium.Env):
    """A walk of 30 steps at most from 0 to 1, whose parts can be replaced by wrong ones."""

    observation_space = Box(-10.0, 10.0, (2,), np.float64)
    action_space = Discrete(2, start=5)

    def __init__(self, stride=0.25):
        self.stride, self.position, self.length = stride, 0.0, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position, self.length = self.np_random.uniform(0.0, 0.1), 0
        return self.observation(), {}

    def step(self, action):
        assert action in (5, 6)
        self.position += self.stride * (action - 5)
        self.length += 1
        return self.observation(), self.reward(), self.position >= 1.0, self.length >= 30, {}

    def observation(self):
        return np.array([self.position, self.stride])

    def reward(self):
        return 1.0 if self.position >= 1.0 else -0.1


class StartingAs(gymnasium.Wrapper):
    """Begins its episodes in these states."""

    def __init__(self, env, states):
        super().__init__(env)
        self.states = iter(states)

    def reset(self, *, seed=None, options=None):
        self.env.reset(seed=seed, options=options)
        self.env.unwrapped.state = next(self.states)
        return np.array(self.env.unwrapped.state, np.float32), {}


def line_of(**attributes):
    return type("Line", (Line,), attributes)


def limited():
    return gymnasium.wrappers.TimeLimit(Line(), 20)


def episodes_of(agent_type, env, n=20, **settings):
    return vars(agent_type(env, "1x4-relu", rng=3, **(LEARNING | settings)).run_episodes(n))


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_gymnasiums_cartpole_gives_the_episodes_of_the_compiled_one():
    n = 60
    environment, rng = envs.make("cartpole"), Streams(3).env
    starts, observation = np.zeros((n + 1, 4)), np.zeros(4, np.float32)
    for state in starts:
        cartpole.reset(environment.params, rng.random(4), state, observation)
    python = episodes_of(DQNAgent, StartingAs(gymnasium.make("CartPole-v1"), starts), n)
    assert_same(python, episodes_of(DQNAgent, "cartpole", n))
    assert np.isfinite(python["losses"][-1])


@pytest.mark.parametrize("num_envs", [1, 4])
@pytest.mark.parametrize("env", ["CartPole-v1", "FrozenLake-v1", limited])
def test_both_backends_play_the_same_episodes(env, num_envs):
    settings = {"warm_up": 10**6, "num_envs": num_envs}
    assert_same(episodes_of(DQNAgent, env, **settings), episodes_of(reference.DQNAgent, env, **settings))


@pytest.mark.parametrize("env_id", ["CartPole-v1", "FrozenLake-v1"])
def test_several_are_stepped_as_gymnasiums_vector_environment_steps_them(env_id):
    """Of a policy that draws all actions: an episode's length and return, in the order of ending."""

    def env():
        return gymnasium.make(env_id)

    n, streams = 3, Streams(3)
    vector = SyncVectorEnv([env] * n, autoreset_mode=AutoresetMode.DISABLED)
    seeds = [int(streams.env.random() * 2**31) for _ in range(n)]
    vector.reset(seed=seeds)
    returns, lengths, ended = np.zeros(n), np.zeros(n, int), []
    while len(ended) < 30:
        actions = []
        for _ in range(n):
            assert streams.policy.random() < 1.0
            actions.append(streams.policy.integers(vector.single_action_space.n))
        _, rewards, terminated, truncated, _ = vector.step(np.array(actions))
        returns, lengths, over = returns + rewards, lengths + 1, terminated | truncated
        ended += [(returns[i], lengths[i]) for i in range(n) if over[i]]
        if over.any():
            vector.reset(options={"reset_mask": over})
        returns[over], lengths[over] = 0.0, 0
    random = {"policy_epsilon_start": 1.0, "policy_epsilon_decay": 1.0, "warm_up": 10**6, "num_envs": n}
    played = episodes_of(DQNAgent, env, 30, **random)
    assert list(zip(played["returns"], played["lengths"], strict=True)) == ended[:30]


@BACKENDS
def test_what_is_stored_is_what_was_seen(agent_type):
    """One-hot rows of FrozenLake; the last one of an episode is its own, not the next one's first."""
    agent = agent_type("FrozenLake-v1", "1x4-relu", rng=0, warm_up=10**6)
    lengths = agent.run_episodes(10).lengths
    rows = agent.replay.transitions()
    assert (rows.observations.sum(axis=1) == 1).all()
    assert (rows.next_observations.sum(axis=1) == 1).all()
    last = np.cumsum(lengths) - 1
    assert rows.terminated.nonzero()[0].tolist() == last.tolist()
    holes_and_goal = {5, 7, 11, 12, 15}
    assert set(rows.next_observations[last].argmax(axis=1).tolist()) <= holes_and_goal
    assert (rows.observations[last[:-1] + 1].argmax(axis=1) == 0).all()


@BACKENDS
def test_gymnasiums_time_limit_truncates_and_does_not_terminate(agent_type):
    env = gymnasium.wrappers.TimeLimit(Line(stride=0.0), 7)
    agent = agent_type(env, "1x4-relu", warm_up=10**6)
    assert agent.run_episodes(3).lengths.tolist() == [7, 7, 7]
    rows = agent.replay.transitions()
    assert rows.truncated.nonzero()[0].tolist() == [6, 13, 20]
    assert not rows.terminated.any()


@BACKENDS
@pytest.mark.parametrize("env", [limited, Line, "FrozenLake-v1"])
def test_a_time_limit_of_ours_is_one_more(agent_type, env):
    environment = envs.make(env, max_episode_steps=4)
    assert agent_type(environment, "1x4-relu", warm_up=10**6).run_episodes(20).lengths.max() == 4


def test_the_time_limit_of_an_id_can_be_longer_than_its_own():
    environment = envs.make("MountainCar-v0", max_episode_steps=250)
    assert (envs.make("MountainCar-v0").max_episode_steps, environment.max_episode_steps) == (200, 250)
    assert DQNAgent(environment, "1x4-relu", warm_up=10**6).run_episodes(1).lengths.tolist() == [250]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, bool])
def test_boxes_of_any_number_become_float32(dtype):
    values = np.array([0, 1], dtype)
    made = line_of(observation_space=Box(0, 1, (2,), dtype), observation=lambda self: values)
    agent = DQNAgent(made, "1x4-relu", warm_up=10**6)
    agent.run_episodes(1)
    stored = agent.replay.transitions().observations
    assert stored.dtype == np.float32
    assert (stored == [0, 1]).all()


def test_observations_may_be_slices_and_lists():
    sliced = line_of(observation=lambda self: np.array([self.position, 9.0, self.stride, 9.0])[::2])
    listed = line_of(observation=lambda self: [self.position, self.stride])
    whole = episodes_of(DQNAgent, Line)
    assert_same(whole, episodes_of(DQNAgent, sliced))
    assert_same(whole, episodes_of(DQNAgent, listed))


def test_discrete_spaces_may_start_anywhere():
    made = line_of(observation_space=Discrete(4, start=-2), observation=lambda self: np.int64(1))
    agent = DQNAgent(made, "1x4-relu", warm_up=10**6)
    agent.run_episodes(1)
    assert (agent.replay.transitions().observations == [0, 0, 0, 1]).all()


def test_the_first_reset_has_a_seed_and_others_have_none():
    seeds = []

    class Noting(Line):
        def reset(self, *, seed=None, options=None):
            seeds.append(seed)
            return super().reset(seed=seed, options=options)

    agent = DQNAgent(Noting, "1x4-relu", rng=3, warm_up=10**6, num_envs=2)
    agent.run_episodes(4)
    rng = Streams(3).env
    assert seeds[:2] == [int(rng.random() * 2**31), int(rng.random() * 2**31)]
    assert len(seeds) > 4
    assert set(seeds[2:]) == {None}


@pytest.mark.parametrize(
    ("env", "found"),
    [
        (line_of(observation_space=Dict({"a": Box(0, 1, (2,))})), "a Dict of observations and a Discrete of actions"),
        (line_of(observation_space=Box(0, 1, (2, 2))), r"a Box of shape \(2, 2\) of observations"),
        (line_of(observation_space=Box(0, 1, ())), r"a Box of shape \(\) of observations"),
        (line_of(action_space=MultiDiscrete([2, 2])), "a MultiDiscrete of actions"),
        ("Pendulum-v1", r"'Pendulum-v1' has .* a Box of shape \(1,\) of actions"),
    ],
)
def test_other_spaces_are_refused_with_those_that_are_supported(env, found):
    with pytest.raises(InputError, match=f"{found}.*; supported are a Box of one dimension") as error:
        envs.make(env)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("NoSuchThing-v0", "environment 'NoSuchThing-v0': Environment `NoSuchThing` doesn't exist"),
        ("no_such_module_:Thing-v0", "environment 'no_such_module_:Thing-v0': .*no_such_module_"),
        ("CartPole-v99", "environment 'CartPole-v99': .*version"),
        (lambda: 3, "must be a gymnasium.Env or VectorEnv; got int"),
        ("math:pi", "must be an EnvKernel, a gymnasium.Env"),
    ],
)
def test_what_is_no_environment_is_refused_in_one_line(env, message):
    with pytest.raises(InputError, match=message) as error:
        envs.make(env)
    assert "\n" not in str(error.value)


def test_names_are_tried_in_their_order():
    assert isinstance(envs.make("cartpole"), envs.Environment)
    for name in ("nasdqn_fast/CartPole-v1", "nasdqn_fast:nasdqn_fast/CartPole-v1"):
        assert envs.make(name).kernel is cartpole
    assert envs.make("gymnasium.envs.classic_control.cartpole:CartPoleEnv").kernel.name.endswith(":CartPoleEnv")
    assert envs.make("gymnasium.envs:CartPole-v1").kernel.name == "gymnasium.envs:CartPole-v1"
    assert envs.make("CartPole-v1").kernel.threshold == 475


@pytest.mark.parametrize("env", [Line(), 3, None])
def test_a_kernel_is_asked_for_where_one_is_needed(env):
    with pytest.raises((InputError, TypeError), match="EnvKernel"):
        KernelEnv(env)


def test_parameters_are_keyword_arguments():
    environment = envs.make(Line, params={"stride": 0.5})
    assert environment.values == {"stride": 0.5}
    greedy = {"policy_epsilon_start": 0.0, "policy_epsilon_end": 0.0}
    assert "stride=0.5" in repr(environment)
    assert DQNAgent(environment, "1x4-relu", warm_up=10**6, **greedy).environment is environment
    sizes = envs.make("FrozenLake-v1", params={"is_slippery": 0.0})
    assert sizes.values == {"is_slippery": 0.0}
    for env in (Line, "FrozenLake-v1", Line()):
        with pytest.raises(InputError, match="wings"):
            envs.make(env, params={"wings": 2.0})
    with pytest.raises(InputError, match="has no named starts, got 'here'"):
        envs.make("CartPole-v1", start="here")


def wrong_step(result):
    return line_of(step=lambda self, action: result)


OBSERVATION = np.zeros(2)


@BACKENDS
@pytest.mark.parametrize("num_envs", [1, 2])
@pytest.mark.parametrize(
    ("env", "message"),
    [
        (line_of(observation=lambda self: np.zeros(3)), r"observation of shape \(3,\) and type float64; .* \(2,\)"),
        (line_of(observation=lambda self: None), "observation of shape"),
        (line_of(observation=lambda self: [[1], [1, 2]]), "observation that is no array"),
        (wrong_step((OBSERVATION, 1.0, True, {})), "a tuple of 4 from step; Gymnasium's is"),
        (wrong_step(None), "None.* from step; Gymnasium's is"),
        (line_of(reset=lambda self, **kw: OBSERVATION), "from reset; Gymnasium's is .observation, info"),
        (
            line_of(observation_space=Discrete(3), observation=lambda self: 3),
            "the observation 3; its observation_space says 0 to 2",
        ),
    ],
)
def test_what_an_environment_may_not_return_is_told_in_one_line(agent_type, env, message, num_envs):
    with pytest.raises(StepError, match=f"environment .*Line returned .*{message}") as error:
        agent_type(env, "1x4-relu", num_envs=num_envs).run_episodes(1)
    assert "\n" not in str(error.value)


@BACKENDS
@pytest.mark.parametrize("num_envs", [1, 2])
@pytest.mark.parametrize(
    ("what", "attributes"),
    [
        ("observation", {"observation": lambda self: np.array([np.nan, 0.0])}),
        ("observation", {"observation": lambda self: np.array([1e300, 0.0])}),
        ("reward", {"reward": lambda self: np.inf}),
    ],
)
def test_numbers_that_are_not_finite_are_told_with_the_environments_name(agent_type, what, attributes, num_envs):
    agent = agent_type(line_of(**attributes), "1x4-relu", num_envs=num_envs)
    with pytest.raises(NonFiniteError, match=f"non-finite {what} in episode 1: the environment .*Line returned it"):
        agent.run_episodes(1)


class Failing(Line):
    """Raises at one of its steps, counted over all episodes and environments."""

    calls, at, error = 0, 10**9, None

    def step(self, action):
        Failing.calls += 1
        if Failing.calls == self.at:
            raise self.error
        return super().step(action)


@pytest.fixture(autouse=True)
def forget_failures():
    Failing.calls, Failing.at = 0, 10**9


@BACKENDS
@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("error", [ZeroDivisionError("mine"), KeyboardInterrupt(), SystemExit(3), ValueError("mine")])
def test_an_error_comes_up_as_it_is_and_leaves_a_whole_agent(agent_type, error, num_envs):
    agent = agent_type(Failing, "1x4-relu", num_envs=num_envs, **LEARNING)
    agent.run_episodes(5)
    Failing.at, Failing.error = Failing.calls + 5, error
    before = agent.episodes
    with pytest.raises(type(error)) as raised:
        agent.run_episodes(50)
    assert raised.value is error
    assert raised.traceback[-1].name == "step"  # of the environment
    assert agent.whole
    assert agent.steps % num_envs == 0
    state = agent.get_state()
    assert agent.run_episodes(3).lengths.shape == (3,)
    assert agent.episodes > before
    other = agent_type(Failing, "1x4-relu", num_envs=num_envs, **LEARNING)
    other.set_state(state)
    assert other.run_episodes(3).lengths.shape == (3,)


@BACKENDS
def test_a_stopped_agent_continues_in_the_middle_of_its_episodes(agent_type):
    class Stopping(Line):
        def step(self, action):
            if token is not None and self.length == 7:
                token.set()
            return super().step(action)

    def played(stopping):
        nonlocal token
        token = StopToken() if stopping else None
        agent, stops, found = agent_type(Stopping, "1x4-relu", rng=2, num_envs=2, **LEARNING), 0, []
        while len(found) < 15:
            try:
                found += agent.run_episodes(1, token).returns.tolist()
            except Stopped:
                token.clear()
                stops += 1
        return found, stops

    token = None
    with_stops, stops = played(True)
    assert stops > 5
    assert with_stops == played(False)[0]


def test_playing_disturbs_no_episode_of_training():
    def returns(env, play):
        agent, found = DQNAgent(env, "1x4-relu", rng=1, **LEARNING), []
        for _ in range(10):
            found.append(agent.run_episodes(1).returns[0])
            if play:
                agent.play_episodes(2)
        return found

    for env in ("CartPole-v1", Line, Line()):
        assert returns(env, True) == returns(env, False)


@BACKENDS
def test_played_episodes_follow_from_their_generator(agent_type):
    agent = agent_type("FrozenLake-v1", "1x4-relu")
    first = agent.play_episodes(5, epsilon=1.0, rng=7).lengths
    np.testing.assert_array_equal(agent.play_episodes(5, epsilon=1.0, rng=7).lengths, first)
    assert (agent.play_episodes(5, epsilon=1.0, rng=8).lengths != first).any()


def test_an_object_is_what_training_steps_and_others_are_copies():
    env = Line()
    agent = DQNAgent(env, "1x4-relu", warm_up=10**6)
    agent.play_episodes(1)
    assert env.position == 0.0
    agent.run_episodes(1)
    assert env.position > 0.0


def test_an_object_that_cannot_be_copied_says_what_to_pass():
    env = Line()
    env.handle = (i for i in range(3))
    agent = DQNAgent(env, "1x4-relu", warm_up=10**6)
    agent.run_episodes(1)
    with pytest.raises(InputError, match=r"Line.* cannot be copied .*; pass a function that makes it"):
        agent.play_episodes(1)


def test_an_object_of_an_id_that_cannot_be_copied_is_made_again():
    env = gymnasium.make("CartPole-v1")
    env.unwrapped.handle = (i for i in range(3))
    assert len(DQNAgent(env, "1x4-relu").play_episodes(2)) == 2


@pytest.mark.parametrize("env", ["FrozenLake-v1", "CartPole-v1", limited])
@pytest.mark.parametrize("source", [DQNAgent, reference.DQNAgent], ids=["native", "numpy"])
def test_a_state_from_between_episodes_is_continued_to_the_bit(env, source):
    agent = source(env, "1x4-relu", rng=5, **LEARNING)
    agent.run_episodes(12)
    state = agent.get_state()
    rest = vars(agent.run_episodes(12))
    other = source(env, "1x4-relu", rng=6, **LEARNING)
    other.run_episodes(3)
    other.set_state(state)
    assert_same(vars(other.run_episodes(12)), rest)


def test_copies_and_files_of_agents_continue_to_the_bit(tmp_path):
    agent = DQNAgent("FrozenLake-v1", "1x4-relu", rng=5, **LEARNING)
    agent.run_episodes(12)
    agent.save(tmp_path / "agent.npz")
    copies = [
        DQNAgent.load(tmp_path / "agent.npz"),
        reference.DQNAgent.load(tmp_path / "agent.npz"),
        copy.deepcopy(agent),
        pickle.loads(pickle.dumps(agent)),
    ]
    rest = agent.run_episodes(12).lengths
    for other in (copies[0], *copies[2:]):
        np.testing.assert_array_equal(other.run_episodes(12).lengths, rest)
    assert copies[1].episodes == 12


@pytest.mark.parametrize(
    "environments", [None, [], [{"seed": "3"}], [{"np_random": {"bit_generator": "mine"}}], [{"other": 3}], [{}, {}]]
)
def test_a_state_of_environments_that_is_none_is_refused(environments):
    agent = DQNAgent("FrozenLake-v1", "1x4-relu", **LEARNING)
    agent.run_episodes(2)
    state = agent.get_state()
    state["loop"]["environments"] = environments
    with pytest.raises((KeyError, TypeError, ValueError)):
        agent.set_state(state)


def test_environments_that_were_made_are_closed_and_the_users_is_not():
    closed = []

    class Closing(Line):
        def close(self):
            closed.append(self)

    env = Closing()
    agent = DQNAgent(env, "1x4-relu", num_envs=2, warm_up=10**6)
    agent.run_episodes(2)
    del agent
    assert len(closed) == 1
    assert closed[0] is not env


def test_the_public_names_take_it():
    assert isinstance(nasdqn_fast.make("CartPole-v1"), envs.PythonEnvironment)
    assert "CartPole-v1" in repr(nasdqn_fast.DQNAgent("CartPole-v1", "1x4-relu"))
