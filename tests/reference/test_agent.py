"""The NumPy agent: its draws in the agreed order, its targets by hand, its books, its errors.

The environments here are closures that record what they are handed; uncompiled, they may.
"""

import math

import numpy as np
import pytest

from nasdqn_fast.envs.kernel import ERROR, TERMINATED, EnvKernel
from nasdqn_fast.reference import DQNAgent, QNetwork, ReplayBuffer
from nasdqn_fast.seeding import Streams
from nasdqn_fast.types import NonFiniteError

ALWAYS_RANDOM = {"policy_epsilon_start": 1.0, "policy_epsilon_decay": 1.0}
ALWAYS_GREEDY = {"policy_epsilon_start": 0.0, "policy_epsilon_end": 0.0}
SMALL = {"batch_size": 4, "replay_capacity": 50, "warm_up": 10**6}


def counting_environment(
    length, *, record=None, reward=lambda step: 1.0, observation=lambda step: 0.5, flags=0, limit=99
):
    """An environment whose episodes end after `length` steps; its observation and reward follow the count of steps."""
    record = [] if record is None else record

    def reset(params, uniforms, state, obs):
        record.append(("reset", uniforms.tolist()))
        state[0], obs[0] = 0, observation(0)

    def step(params, uniforms, state, action, obs, rewards):
        record.append(("step", uniforms.tolist(), action))
        state[0] += 1
        obs[0], rewards[0] = observation(state[0]), reward(state[0])
        return flags or (TERMINATED if state[0] >= length else 0)

    sizes = {"state_size": 1, "observation_size": 1, "n_actions": 3, "reset_uniforms": 2, "step_uniforms": 1}
    bounds = {"observation_low": (-1.0,), "observation_high": (1.0,)}
    return EnvKernel(reset, step, {}, **sizes, **bounds, max_episode_steps=limit).bind()


def agent_on(environment, network="1x4-relu", **settings):
    return DQNAgent(environment, network, **(SMALL | settings))


def test_environment_and_policy_draw_in_the_agreed_order():
    """Resets of both lanes; a uniform and an action for each; steps in order of lanes; resets of those that ended."""
    record = []
    agent_on(counting_environment(2, record=record), rng=5, num_envs=2, **ALWAYS_RANDOM).run_episodes(2)
    env, policy = Streams(5).env, Streams(5).policy
    expected = [("reset", env.random(2).tolist()), ("reset", env.random(2).tolist())]
    for _ in range(2):
        actions = [(policy.random(), int(policy.integers(3)))[1] for _ in range(2)]
        expected += [("step", env.random(1).tolist(), action) for action in actions]
    expected += [("reset", env.random(2).tolist()), ("reset", env.random(2).tolist())]
    assert record == expected


def test_a_greedy_step_draws_one_uniform_and_no_action():
    agent = agent_on(counting_environment(7), rng=5, **ALWAYS_GREEDY)
    agent.run_episodes(1)
    policy = Streams(5).policy
    policy.random(7)
    assert agent.streams.policy.random() == policy.random()


def test_updates_begin_with_warm_up_and_draw_from_what_is_stored():
    agent = agent_on(counting_environment(5), rng=5, warm_up=3, updates_per_step=2)
    agent.run_episodes(1)
    replay = Streams(5).replay
    for stored in (3, 4, 5):
        for _ in range(2):
            replay.integers(0, stored, size=4)
    assert (agent.steps, agent.updates) == (5, 6)
    assert agent.streams.replay.random() == replay.random()


def test_one_action_needs_no_draw():
    kernel = counting_environment(4).kernel
    single = EnvKernel(
        kernel.reset,
        kernel.step,
        {},
        state_size=1,
        observation_size=1,
        n_actions=1,
        observation_low=(-1.0,),
        observation_high=(1.0,),
        reset_uniforms=2,
        step_uniforms=1,
        max_episode_steps=9,
    )
    agent = agent_on(single, rng=5, **ALWAYS_RANDOM)
    agent.run_episodes(1)
    policy = Streams(5).policy
    policy.random(4)
    assert agent.streams.policy.random() == policy.random()


def test_episodes_that_end_together_wait_for_the_next_call():
    agent = agent_on(counting_environment(3), num_envs=4)
    assert agent.run_episodes(1).lengths.tolist() == [3]
    assert (agent.steps, agent.episodes) == (12, 4)
    assert agent.run_episodes(3).returns.tolist() == [3.0] * 3
    assert agent.steps == 12
    agent.run_episodes(1)
    assert agent.steps == 24


def test_epsilon_is_fixed_when_an_episode_starts():
    """Two lanes start after 0 episodes; as each ends, its next starts after 1, then 2, then 3, then 4."""
    decay = {"policy_epsilon_start": 1.0, "policy_epsilon_decay": 0.5, "policy_epsilon_end": 0.1}
    agent = agent_on(counting_environment(3), num_envs=2, **decay)
    assert agent.run_episodes(6).epsilons.tolist() == [1.0, 1.0, 0.5, 0.25, 0.125, 0.1]
    assert agent.epsilon == 0.1


def test_the_losses_of_a_vector_step_are_shared_out_among_its_lanes(monkeypatch):
    agent = agent_on(counting_environment(2), num_envs=2, updates_per_step=2, warm_up=0)
    losses = iter(range(8))
    monkeypatch.setattr(agent, "learn", lambda: next(losses))
    assert agent.run_episodes(2).losses.tolist() == [(0 + 1 + 4 + 5) / 4, (2 + 3 + 6 + 7) / 4]


def test_an_episode_without_updates_has_no_loss():
    assert np.isnan(agent_on(counting_environment(2)).run_episodes(1).losses).all()


@pytest.mark.parametrize(("length", "limit", "terminated"), [(9, 3, False), (3, 3, True), (2, 3, True)])
def test_the_clock_truncates_and_never_terminates(length, limit, terminated):
    agent = agent_on(counting_environment(length, limit=limit))
    assert agent.run_episodes(1).lengths.tolist() == [min(length, limit)]
    stored = agent.replay.transitions()
    assert (bool(stored.terminated[-1]), bool(stored.truncated[-1])) == (terminated, not terminated)
    assert not stored.terminated[:-1].any()
    assert not stored.truncated[:-1].any()


def test_transitions_are_stored_as_they_happened():
    environment = counting_environment(3, reward=lambda step: 10 * step, observation=lambda step: step / 8)
    agent = agent_on(environment)
    episodes = agent.run_episodes(1)
    stored = agent.replay.transitions()
    assert episodes.returns.tolist() == [60.0]
    assert stored.observations.ravel().tolist() == [0, 1 / 8, 2 / 8]
    assert stored.next_observations.ravel().tolist() == [1 / 8, 2 / 8, 3 / 8]
    assert stored.rewards.tolist() == [10.0, 20.0, 30.0]


@pytest.mark.parametrize(
    ("ending", "horizon_is", "target"),
    [
        ((False, False), "terminal", 0.75 + 0.5 * 1.5),
        ((True, False), "terminal", 0.75),
        ((True, False), "truncated", 0.75),
        ((False, True), "terminal", 0.75),
        ((False, True), "truncated", 0.75 + 0.5 * 1.5),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_double_dqn_target_by_hand(ending, horizon_is, target, dtype):
    """One unit: Q(s) = (s, 2 s, 0), Q-(s) = (10 s, s / 2, 99 s). At s' = 3 the online network picks action 1,
    and the target network says 1.5; its own maximum, 297, must not be seen."""
    settings = {"gamma": 0.5, "horizon_is": horizon_is, "learning_rate": 0.5, "dtype": dtype}
    agent = agent_on(counting_environment(2), "1x1-relu", **settings)
    agent.network.parameters = np.array([1, 0, 1, 2, 0, 0, 0, 0], dtype)
    agent.target.parameters = np.array([1, 0, 10, 0.5, 99, 0, 0, 0], dtype)
    agent.replay.add(np.ones(1, dtype), 0, 0.75, np.full(1, 3, dtype), *ending)
    error = 1 - target  # Q(1, 0) - y
    assert agent.learn() == error**2 / 2
    assert agent.network.biases[1].tolist() == [-0.5 * error, 0, 0]


def test_the_target_follows_every_so_many_updates():
    agent = agent_on(counting_environment(2), warm_up=0, target_every=3)
    agent.run_episodes(1)
    start = agent.target.parameters
    assert agent.updates == 2
    assert not np.array_equal(agent.network.parameters, start)
    agent.learn()
    np.testing.assert_array_equal(agent.target.parameters, agent.network.parameters)
    agent.learn()
    assert not np.array_equal(agent.target.parameters, agent.network.parameters)


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_run_resumed_in_the_middle_is_the_run_to_the_bit(num_envs, optimizer):
    """Two routes to one state: 9 episodes at once, or 4, a saved state, and 5 by a fresh agent."""
    settings = {"warm_up": 5, "num_envs": num_envs, "optimizer": optimizer, "target_every": 7}
    environment = counting_environment(4, observation=lambda step: step / 8)
    whole, first = (agent_on(environment, rng=3, **settings) for _ in range(2))
    expected = whole.run_episodes(9)
    early = first.run_episodes(4)
    resumed = agent_on(environment, "2x7-tanh", rng=77, **settings)
    resumed.set_state(first.get_state())
    late = resumed.run_episodes(5)
    for name in ("returns", "lengths", "losses", "epsilons"):
        both = np.concatenate([getattr(early, name), getattr(late, name)])
        np.testing.assert_array_equal(both, getattr(expected, name))
    assert resumed.network.parameters.tobytes() == whole.network.parameters.tobytes()
    assert (resumed.steps, resumed.updates, resumed.episodes) == (whole.steps, whole.updates, whole.episodes)


def test_playing_between_two_calls_changes_nothing_in_training():
    played, plain = (agent_on(counting_environment(4), rng=3, warm_up=2, num_envs=2) for _ in range(2))
    played.run_episodes(3)
    plain.run_episodes(3)
    steps, stored = played.steps, len(played.replay)
    episodes = played.play_episodes(5, epsilon=0.5)
    assert episodes.lengths.tolist() == [4] * 5
    assert episodes.epsilons.tolist() == [0.5] * 5
    assert np.isnan(episodes.losses).all()
    assert (played.steps, len(played.replay)) == (steps, stored)
    np.testing.assert_array_equal(played.run_episodes(3).losses, plain.run_episodes(3).losses)


def test_playing_draws_all_from_one_generator():
    record = []
    agent = agent_on(counting_environment(1, record=record), rng=3)
    agent.play_episodes(2, epsilon=1.0, rng=8)
    rng, expected = np.random.default_rng(8), []
    for _ in range(2):
        expected.append(("reset", rng.random(2).tolist()))
        rng.random()
        action = int(rng.integers(3))
        expected.append(("step", rng.random(1).tolist(), action))
    assert record == expected


def test_act_is_greedy_and_draws_nothing_unless_asked_to_explore():
    agent = agent_on(counting_environment(2), rng=3)
    agent.network.parameters = np.zeros_like(agent.network.parameters)
    agent.network.biases[-1][:] = [0, 5, 5]
    assert agent.act(np.zeros(1, np.float32)) == 1
    assert type(agent.act(np.zeros(1, np.float32))) is int
    assert agent.act(np.zeros((2, 1), np.float32)).tolist() == [1, 1]
    assert agent.act(np.zeros((0, 1), np.float32)).shape == (0,)
    policy = Streams(3).policy
    expected = [(policy.random(), policy.integers(3))[1] for _ in range(4)]
    assert agent.act(np.zeros((4, 1), np.float32), epsilon=1.0).tolist() == expected


def test_a_new_network_takes_over_with_its_own_target_and_a_fresh_optimizer():
    agent = agent_on(counting_environment(4), warm_up=2, optimizer="adam")
    agent.run_episodes(2)
    network = QNetwork("2x5-tanh", 1, 3, rng=4)
    agent.switch_network(network)
    assert agent.network is network
    assert agent.target is not network
    np.testing.assert_array_equal(agent.target.parameters, network.parameters)
    assert agent.optimizer.steps == 0
    updates = agent.updates
    agent.run_episodes(1)
    assert agent.updates == updates + 4


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"reward": lambda step: math.nan if step == 2 else 1.0}, "non-finite reward in episode 1: the environment"),
        ({"observation": lambda step: math.inf if step == 3 else 0.5}, "non-finite observation in episode 1: the env"),
        ({"observation": lambda step: math.nan}, "non-finite observation in episode 1: the environment"),
    ],
)
@pytest.mark.parametrize("method", ["run_episodes", "play_episodes"])
def test_what_an_environment_returns_must_be_finite(broken, message, method):
    with pytest.raises(NonFiniteError, match=message):
        getattr(agent_on(counting_environment(4, **broken)), method)(1)


def test_an_environments_error_flag_is_raised():
    with pytest.raises(RuntimeError, match="reported an error in step, after 0 steps"):
        agent_on(counting_environment(4, flags=ERROR)).run_episodes(1)


def test_a_diverging_loss_is_reported_with_its_episode_and_the_mend():
    environment = counting_environment(4, reward=lambda step: 1e3 * (-1) ** step, observation=lambda step: step / 8)
    agent = agent_on(environment, warm_up=9, learning_rate=1e30)
    with pytest.raises(NonFiniteError, match=r"non-finite loss in episode 3: lower learning_rate \(now 1e\+30\)"):
        agent.run_episodes(5)


def test_weights_that_are_not_finite_are_found_at_the_end_of_the_episode():
    """Of action 2, which is never taken here, so that no loss tells of it."""
    agent = agent_on(counting_environment(4), **ALWAYS_GREEDY)
    agent.run_episodes(2)
    agent.network.biases[-1][2] = -np.inf
    with pytest.raises(NonFiniteError, match="non-finite weights in episode 3: lower learning_rate"):
        agent.run_episodes(1)


def test_learns_the_values_of_a_small_mdp():
    """Value iteration by hand, gamma 0.9: from 0, action 0 ends with 0.3 and action 1 leads to 1; from 1, action 0
    ends with 1 and action 1 with 0. Q*(0) = (0.3, 0.9), Q*(1) = (1, 0)."""

    def reset(params, uniforms, state, obs):
        state[0] = obs[0] = 0

    def step(params, uniforms, state, action, obs, reward):
        at_start = state[0] == 0
        reward[0] = (0.3, 0.0)[action] if at_start else (1.0, 0.0)[action]
        state[0] = obs[0] = 1
        return 0 if at_start and action == 1 else TERMINATED

    bounds = {"observation_low": (0.0,), "observation_high": (1.0,)}
    kernel = EnvKernel(reset, step, {}, state_size=1, observation_size=1, n_actions=2, **bounds, max_episode_steps=9)
    learning = {"optimizer": "adam", "learning_rate": 0.01, "gamma": 0.9, "target_every": 20, "warm_up": 50}
    agent = DQNAgent(kernel, "1x16-tanh", rng=1, replay_capacity=500, batch_size=32, **learning, **ALWAYS_RANDOM)
    agent.run_episodes(500)
    q = agent.network.forward(np.array([[0.0], [1.0]], np.float32))
    np.testing.assert_allclose(q, [[0.3, 0.9], [1.0, 0.0]], atol=0.05)


def test_float64_reaches_network_and_memory():
    agent = agent_on(counting_environment(3), warm_up=1, dtype=np.float64)
    agent.run_episodes(1)
    assert agent.network.parameters.dtype == agent.replay.transitions().observations.dtype == np.float64


def test_learning_from_nothing_is_refused():
    with pytest.raises(ValueError, match="the replay buffer is empty"):
        agent_on(counting_environment(2)).learn()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"network": QNetwork("1x2-relu", 2, 3)}, ValueError, "network must map 1 numbers to 3 Q-values.* got 2 to 3"),
        ({"replay": ReplayBuffer(9, 2)}, ValueError, "replay must hold observations of size 1.* got 2"),
        ({"gama": 0.9}, TypeError, "unknown setting 'gama': did you mean 'gamma'"),
        ({"rng": "seed"}, TypeError, "seed must be an int or a numpy.random.Generator, got str"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        agent_on(counting_environment(2), **arguments)
