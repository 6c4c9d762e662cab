"""Vector environments of Gymnasium. Oracles: as many single environments, and a loop written out here."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from nasdqn_fast import envs, reference
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.errors import InputError, NonFiniteError, StepError
from nasdqn_fast.interop.vector_env import KernelVectorEnv
from nasdqn_fast.seeding import Streams

N = 3
LEARNING = {"warm_up": 50, "batch_size": 8, "replay_capacity": 500}
RANDOM = {"policy_epsilon_start": 1.0, "policy_epsilon_decay": 1.0, "warm_up": 10**6, "replay_capacity": 20_000}
COLUMNS = "observations", "actions", "rewards", "next_observations", "terminated"
BACKENDS = pytest.mark.parametrize("agent_type", [DQNAgent, reference.DQNAgent], ids=["native", "numpy"])
MODES = pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.value)


class Line(gymnasium.Env):
    """A walk of at most 30 steps from 0 to 1."""

    observation_space = Box(-10.0, 10.0, (2,), np.float64)
    action_space = Discrete(2, start=5)
    fails = False

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position, self.length = self.np_random.uniform(0.0, 0.1), 0
        return self.observation(), {}

    def step(self, action):
        if Line.fails:
            raise ZeroDivisionError("mine")
        self.position += 0.25 * (action - 5)
        self.length += 1
        return self.observation(), 1.0 - self.position, self.position >= 1.0, self.length >= 30, {}

    def observation(self):
        return np.array([self.position, self.length / 30])


def lake():
    return gymnasium.make("FrozenLake-v1")


def rows_of(make, mode, n=N):
    return SyncVectorEnv([make] * n, autoreset_mode=mode)


class Few(gymnasium.vector.VectorEnv):
    """Rows that count to 4, whose parts can be replaced by wrong ones."""

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    single_observation_space, single_action_space, num_envs = Box(0.0, 9.0, (1,)), Discrete(2), N

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.counts = np.zeros(N)
        return self.observed(), {}

    def step(self, actions):
        self.counts += 1
        over = self.counts == 4
        last = self.observed()
        self.counts[over] = 0
        return self.observed(), self.rewards(), over, np.zeros(N, bool), self.infos(last)

    def observed(self):
        return self.counts[:, None].astype(np.float32)

    def rewards(self):
        return np.ones(N)

    def infos(self, last):
        return {"final_obs": last}


def few(**attributes):
    return type("Few", (Few,), attributes)()


def episodes_of(agent_type, env, n=25, **settings):
    return vars(agent_type(env, "1x4-relu", rng=3, **(LEARNING | settings)).run_episodes(n))


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def played(vector, env_id, steps):
    """The episodes of a random policy, and the transitions, as (observation, action, reward, next, terminated)."""
    streams, mode, n = Streams(3), vector.metadata["autoreset_mode"], vector.num_envs
    seeds = [int(streams.env.random() * 2**31) for _ in range(n)]
    observations, _ = vector.reset(seed=seeds if isinstance(vector, SyncVectorEnv) else seeds[0])
    returns, lengths, begins = np.zeros(n), np.zeros(n, int), np.zeros(n, bool)
    episodes, transitions = [], []
    for _ in range(steps):
        actions = np.zeros(n, int)
        for i in range(n):
            streams.policy.random()
            actions[i] = streams.policy.integers(vector.single_action_space.n)
        after, rewards, terminated, truncated, _ = vector.step(actions)
        for i in np.flatnonzero(~begins):
            transitions.append((observations[i], actions[i], rewards[i], after[i], terminated[i]))
            returns[i] += rewards[i]
            lengths[i] += 1
        over = terminated | truncated
        episodes += [(returns[i], lengths[i]) for i in np.flatnonzero(over)]
        returns[over], lengths[over] = 0.0, 0
        begins = over if mode is AutoresetMode.NEXT_STEP else begins
        observations = after
    return episodes, transitions


@pytest.mark.quick_only(settings={"n_step": 3}, mode=AutoresetMode.SAME_STEP)
@pytest.mark.quick_only(settings={"normalize_observations": True}, agent_type=DQNAgent, make=Line)
@BACKENDS
@pytest.mark.parametrize("mode", [AutoresetMode.DISABLED, AutoresetMode.SAME_STEP], ids=lambda mode: mode.value)
@pytest.mark.parametrize("make", [lake, Line])
@pytest.mark.parametrize("settings", [{}, {"n_step": 3}, {"normalize_observations": True}], ids=str)
def test_training_in_rows_is_training_in_as_many_environments(agent_type, make, mode, settings):
    alone = agent_type(make, "1x4-relu", rng=3, num_envs=N, **LEARNING, **settings)
    rows = agent_type(rows_of(make, mode), "1x4-relu", rng=3, **LEARNING, **settings)
    assert_same(vars(rows.run_episodes(25)), vars(alone.run_episodes(25)))
    np.testing.assert_array_equal(rows.network.parameters, alone.network.parameters)


@BACKENDS
@pytest.mark.parametrize("vector", [lambda: rows_of(lake, AutoresetMode.NEXT_STEP), "CartPole-v1"])
def test_the_step_that_begins_an_episode_is_no_transition(agent_type, vector):
    own = vector() if callable(vector) else gymnasium.make_vec(vector, N)
    assert own.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    episodes, transitions = played(own, vector, 400)
    agent = agent_type(vector, "1x4-relu", rng=3, num_envs=N, **RANDOM)
    found = agent.run_episodes(25)
    assert list(zip(found.returns, found.lengths, strict=True)) == episodes[:25]
    rows = agent.replay.transitions()
    expected = dict(zip(COLUMNS, map(np.array, zip(*transitions[: len(rows)], strict=True)), strict=True))
    if expected["observations"].ndim == 1:
        for name in ("observations", "next_observations"):
            expected[name] = np.eye(16)[expected[name]]
    assert_same({name: getattr(rows, name) for name in COLUMNS}, expected)


def test_the_rows_of_cartpoles_vector_version_move_as_the_single_one():
    agent = DQNAgent("CartPole-v1", "1x4-relu", num_envs=N, **RANDOM)
    agent.run_episodes(20)
    single, rows = gymnasium.make("CartPole-v1").unwrapped, agent.replay.transitions()
    for i in range(len(rows)):
        single.reset()
        single.state = rows.observations[i].astype(float)
        after, _, terminated, _, _ = single.step(int(rows.actions[i]))
        np.testing.assert_allclose(rows.next_observations[i], after, atol=1e-6)
        if abs(abs(after[0]) - single.x_threshold) > 1e-5 and abs(abs(after[2]) - 0.20944) > 1e-5:
            assert rows.terminated[i] == terminated


@MODES
@pytest.mark.parametrize("settings", [{}, {"n_step": 3}, {"n_step": 2, "normalize_observations": True}], ids=str)
def test_both_backends_store_and_link_the_same(mode, settings):
    states = []
    for agent_type in (DQNAgent, reference.DQNAgent):
        agent = agent_type(rows_of(Line, mode), "1x4-relu", rng=3, **RANDOM, **settings)
        agent.run_episodes(20)
        states.append(agent.get_state())
    native, plain = states
    assert_same(native["replay"], plain["replay"])
    assert native["loop"]["environments"] == plain["loop"]["environments"]
    if "normalizer" in native:
        np.testing.assert_allclose(native["normalizer"]["mean"], plain["normalizer"]["mean"])


@BACKENDS
def test_n_step_returns_follow_an_episode_past_the_steps_that_begin_others(agent_type):
    """Each transition's successor is the next one of its row, however many rows wait in between."""
    agent = agent_type(rows_of(Line, AutoresetMode.NEXT_STEP), "1x4-relu", rng=3, n_step=2, **RANDOM)
    agent.run_episodes(20)
    rows = agent.replay.transitions()
    returns, discounts = agent.replay.n_step_returns(np.arange(len(rows)), 2, 0.5)
    batch_rewards = returns.rewards
    for i in range(len(rows) - 2 * N):
        over = rows.terminated[i] or rows.truncated[i]
        following = [j for j in range(i + 1, len(rows)) if (rows.observations[j] == rows.next_observations[i]).all()][
            :1
        ]
        expected = rows.rewards[i] + (0.0 if over else 0.5 * rows.rewards[following[0]])
        assert batch_rewards[i] == pytest.approx(expected)
        assert discounts[i] == (0.5 if over else 0.25)


def test_a_vector_step_is_one_call():
    calls = []

    class Counting(Few):
        def step(self, actions):
            calls.append(actions)
            return super().step(actions)

    agent = DQNAgent(Counting, "1x4-relu", warm_up=10**6)
    agent.run_episodes(30)
    assert agent.steps == N * len(calls) == 120
    assert all(call.shape == (N,) and call.dtype == np.int64 for call in calls)
    assert len({id(call) for call in calls}) == len(calls)


@BACKENDS
def test_num_envs_is_the_number_of_rows(agent_type):
    vector = rows_of(Line, AutoresetMode.SAME_STEP)
    assert agent_type(vector, "1x4-relu").settings.num_envs == N
    assert agent_type(vector, "1x4-relu", num_envs=N).settings.num_envs == N
    with pytest.raises(ValueError, match="num_envs must be 3, the rows of the vector environment; got 4; leave"):
        agent_type(vector, "1x4-relu", num_envs=4)


def test_an_id_without_a_vector_version_is_several_environments():
    assert envs.make("CartPole-v1").together(N) is not None
    assert envs.make("CartPole-v1").together(1) is None
    assert envs.make("FrozenLake-v1").together(N) is None
    assert envs.make("gymnasium.envs:CartPole-v1").together(N).n == N


def test_parameters_and_limit_of_an_id_reach_its_vector_version():
    environment = envs.make("CartPole-v1", params={"sutton_barto_reward": 1.0}, max_episode_steps=5)
    agent = DQNAgent(environment, "1x4-relu", num_envs=N, warm_up=10**6)
    episodes = agent.run_episodes(20)
    assert episodes.lengths.max() == 5
    assert set(episodes.returns) <= {0.0, -1.0}


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP], ids=lambda mode: mode.value)
def test_a_time_limit_cannot_end_rows_that_reset_themselves(mode):
    with pytest.raises(InputError, match=r"resets its rows by itself, .*max_episode_steps \(4\) cannot") as error:
        envs.make(rows_of(Line, mode), max_episode_steps=4)
    assert "\n" not in str(error.value)


@BACKENDS
def test_a_time_limit_ends_rows_that_are_reset_by_the_caller(agent_type):
    environment = envs.make(rows_of(Line, AutoresetMode.DISABLED), max_episode_steps=4)
    lengths = agent_type(environment, "1x4-relu", warm_up=10**6).run_episodes(20).lengths
    assert lengths.max() == 4
    assert_same(
        episodes_of(agent_type, envs.make(rows_of(Line, AutoresetMode.DISABLED), max_episode_steps=9)),
        episodes_of(agent_type, envs.make(Line, max_episode_steps=9), num_envs=N),
    )


@pytest.mark.parametrize("mode", [None, "Sometimes", 3])
def test_a_vector_environment_says_when_it_resets(mode):
    with pytest.raises(InputError, match=r"environment 'Few' must say in metadata\['autoreset_mode'\]") as error:
        envs.make(few(metadata={} if mode is None else {"autoreset_mode": mode}))
    assert "\n" not in str(error.value)


@BACKENDS
@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"observed": lambda self: np.zeros((N, 2))}, r"observations of shape \(3, 2\) .*says \(3, 1\)"),
        ({"observed": lambda self: np.zeros((2, 1))}, r"observations of shape \(2, 1\)"),
        ({"rewards": lambda self: np.zeros((N, 1))}, r"rewards of shape \(3, 1\); it has 3 rows"),
        ({"infos": lambda self, last: {}}, "infos without 'final_obs'"),
        ({"step": lambda self, actions: None}, "None.* from step; Gymnasium's is"),
    ],
)
def test_what_it_may_not_return_is_told_in_one_line(agent_type, attributes, message):
    with pytest.raises(StepError, match=f"environment Few returned .*{message}") as error:
        agent_type(few(**attributes), "1x4-relu").run_episodes(1)
    assert "\n" not in str(error.value)


@BACKENDS
def test_numbers_that_are_not_finite_are_told(agent_type):
    agent = agent_type(few(rewards=lambda self: np.array([0.0, np.nan, 0.0])), "1x4-relu")
    with pytest.raises(NonFiniteError, match="non-finite reward in episode 1: the environment Few returned it"):
        agent.run_episodes(1)


@BACKENDS
def test_after_a_bad_first_observation_all_rows_begin_anew(agent_type):
    """All rows end in one step, whose observations, those of the next episodes, are not finite once."""
    wrong = [False]
    environment = few(
        observed=lambda self: np.where(wrong[0] & (self.counts == 0), np.nan, self.counts)[:, None].astype(np.float32)
    )
    agent = agent_type(environment, "1x4-relu", **LEARNING)
    agent.run_episodes(3)
    wrong[0] = True
    with pytest.raises(NonFiniteError, match="non-finite observation"):
        agent.run_episodes(6)
    wrong[0] = False
    assert agent.run_episodes(3).lengths.tolist() == [4, 4, 4]


@BACKENDS
@MODES
def test_an_error_comes_up_as_it_is_and_leaves_a_whole_agent(agent_type, mode, monkeypatch):
    agent = agent_type(rows_of(Line, mode), "1x4-relu", **LEARNING)
    agent.run_episodes(10)
    monkeypatch.setattr(Line, "fails", True)
    with pytest.raises(ZeroDivisionError, match="mine") as raised:
        agent.run_episodes(10)
    assert raised.traceback[-1].name == "step"
    assert agent.whole
    assert agent.steps % N == 0
    monkeypatch.setattr(Line, "fails", False)
    assert agent.run_episodes(10).lengths.max() <= 30


@BACKENDS
@MODES
def test_episodes_beside_training_are_those_of_a_single_environment(agent_type, mode):
    rows, single = agent_type(rows_of(Line, mode), "1x4-relu"), agent_type(Line, "1x4-relu")
    for epsilon in (0.0, 0.5):
        assert_same(*(vars(agent.play_episodes(6, epsilon, rng=7)) for agent in (rows, single)))
    lakes = agent_type(rows_of(lake, mode), "1x4-relu"), agent_type(lake, "1x4-relu")
    assert_same(*(vars(agent.play_episodes(6, 0.5, rng=7)) for agent in lakes))


@MODES
def test_playing_disturbs_no_row_in_training(mode):
    def returns(play):
        agent, found = DQNAgent(rows_of(Line, mode), "1x4-relu", rng=1, **LEARNING), []
        for _ in range(10):
            found.append(agent.run_episodes(1).returns[0])
            if play:
                agent.play_episodes(2)
        return found

    assert returns(True) == returns(False)


@BACKENDS
def test_a_state_begins_new_episodes_the_same_ones_each_time(agent_type):
    agent = agent_type("CartPole-v1", "1x4-relu", rng=5, num_envs=N, **LEARNING)
    agent.run_episodes(12)
    state, others = agent.get_state(), []
    for _ in range(2):
        others.append(agent_type("CartPole-v1", "1x4-relu", rng=6, num_envs=N, **LEARNING))
        others[-1].run_episodes(2)
        others[-1].set_state(copy.deepcopy(state))
    first, second = (other.run_episodes(12) for other in others)
    assert_same(vars(first), vars(second))
    assert others[0].episodes == 24


def test_copies_of_agents_go_on():
    agent = DQNAgent("CartPole-v1", "1x4-relu", rng=5, num_envs=N, **LEARNING)
    agent.run_episodes(12)
    first, second = copy.deepcopy(agent), pickle.loads(pickle.dumps(agent))
    assert_same(vars(first.run_episodes(5)), vars(second.run_episodes(5)))


@pytest.mark.parametrize(
    "environments", [None, [], [{"np_random": {"bit_generator": "mine"}}], [{"other": 3}], [{}, {}]]
)
def test_a_state_of_rows_that_is_none_is_refused(environments):
    agent = DQNAgent("CartPole-v1", "1x4-relu", num_envs=2, **LEARNING)
    agent.run_episodes(2)
    state = agent.get_state()
    state["loop"]["environments"] = environments
    with pytest.raises((KeyError, TypeError, ValueError)):
        agent.set_state(state)


def test_the_kernels_vector_environment_is_one():
    vector = KernelVectorEnv("cartpole", num_envs=N)
    assert vector.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert len(DQNAgent(vector, "1x4-relu", **LEARNING).run_episodes(20)) == 20


def test_what_was_made_is_closed_and_the_users_is_not():
    closed = []

    class Closing(Few):
        def close_extras(self):
            closed.append(self)

    agent, own = DQNAgent(Closing, "1x4-relu", warm_up=10**6), Closing()
    agent.play_episodes(1)
    del agent
    assert len(closed) == 3  # one to see its spaces, one in training, one to play
    agent = DQNAgent(own, "1x4-relu", warm_up=10**6)
    agent.run_episodes(2)
    del agent
    assert len(closed) == 3
