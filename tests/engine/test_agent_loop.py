"""The loop of both backends: its draws in the agreed order, its lanes, its clock and its books.

The scripted environment shows its uniforms in its observations, so that the memory tells what was drawn.
"""

import dataclasses

import numpy as np
import pytest

from nasdqn_fast.envs.kernel import Environment
from nasdqn_fast.seeding import Streams

ALWAYS_RANDOM = {"policy_epsilon_start": 1.0, "policy_epsilon_decay": 1.0}
ALWAYS_GREEDY = {"policy_epsilon_start": 0.0, "policy_epsilon_end": 0.0}
SMALL = {"batch_size": 4, "replay_capacity": 200, "warm_up": 10**6}


def agent_on(engine, environment, network="1x4-relu", **settings):
    return engine.DQNAgent(environment, network, **(SMALL | settings))


def test_environment_and_policy_draw_in_the_agreed_order(engine, scripted):
    """Resets of both lanes; a uniform and an action for each; steps in order of lanes; resets of those that ended."""
    agent = agent_on(engine, scripted(length=2), rng=5, num_envs=2, **ALWAYS_RANDOM)
    agent.run_episodes(2)
    env, policy = Streams(5).env, Streams(5).policy
    before = [np.array([0, *env.random(2)]) for _ in range(2)]
    seen = []
    for step in (1, 2):
        actions = [(policy.random(), policy.integers(3))[1] for _ in range(2)]
        after = [np.array([step / 8, *env.random(1), action]) for action in actions]
        seen += zip(before, actions, after, strict=True)
        before = after
    env.random((2, 2))  # both lanes start again at once
    stored = agent.replay.transitions()
    for i, (observation, action, next_observation) in enumerate(seen):
        np.testing.assert_array_equal(stored.observations[i], observation.astype(np.float32))
        assert stored.actions[i] == action
        np.testing.assert_array_equal(stored.next_observations[i], next_observation.astype(np.float32))
    assert agent.streams.env.random() == env.random()
    assert agent.streams.policy.random() == policy.random()


def test_a_greedy_step_draws_one_uniform_and_no_action(engine, scripted):
    agent = agent_on(engine, scripted(length=7), rng=5, **ALWAYS_GREEDY)
    agent.run_episodes(1)
    policy = Streams(5).policy
    policy.random(7)
    assert agent.streams.policy.random() == policy.random()


def test_one_action_needs_no_draw(engine, scripted):
    environment = scripted(length=4)
    kernel = dataclasses.replace(environment.kernel, n_actions=1)
    single = Environment(kernel, environment.params, environment.max_episode_steps)
    agent = agent_on(engine, single, rng=5, **ALWAYS_RANDOM)
    agent.run_episodes(1)
    assert not agent.replay.transitions().actions.any()
    policy = Streams(5).policy
    policy.random(4)
    assert agent.streams.policy.random() == policy.random()


def test_a_step_takes_the_lowest_of_equal_actions(engine, scripted):
    agent = agent_on(engine, scripted(length=3), **ALWAYS_GREEDY)
    agent.network.parameters = np.zeros_like(agent.network.parameters)
    agent.network.biases[-1][:] = [0, 5, 5]
    agent.run_episodes(1)
    assert agent.replay.transitions().actions.tolist() == [1, 1, 1]


def test_updates_begin_with_warm_up_and_draw_from_what_is_stored(engine, scripted):
    agent = agent_on(engine, scripted(length=5), rng=5, warm_up=3, updates_per_step=2)
    agent.run_episodes(1)
    replay = Streams(5).replay
    for stored in (3, 4, 5):
        for _ in range(2):
            replay.integers(0, stored, size=4)
    assert (agent.steps, agent.updates) == (5, 6)
    assert agent.streams.replay.random() == replay.random()


def test_lanes_learn_as_often_as_they_step(engine, scripted):
    """Warm-up counts the steps of all lanes: 7 are reached by the third vector step of 3."""
    agent = agent_on(engine, scripted(length=5), num_envs=3, warm_up=7, updates_per_step=2)
    agent.run_episodes(3)
    assert (agent.steps, agent.updates) == (15, 3 * 3 * 2)


@pytest.mark.parametrize(
    ("settings", "updates"),
    [
        # 15 steps of one environment: phases after 8 and 12 of them, and what is due after each.
        ({"train_every": 4}, 8),
        ({"train_every": 4, "updates_per_step": 3}, 24),
        ({"train_every": 4, "updates_per_train": 1}, 2),
        ({"updates_per_train": 5, "updates_per_step": 3}, 45),
        # 15 vector steps of two: the warm-up ends with the fourth.
        ({"train_every": 4, "num_envs": 2}, 24),
        ({"train_every": 4, "updates_per_train": 3, "num_envs": 2}, 9),
    ],
)
def test_updates_come_in_phases_that_are_counted_in_vector_steps(engine, scripted, settings, updates):
    agent = agent_on(engine, scripted(length=5), warm_up=7, **settings)
    agent.run_episodes(3 * agent.settings.num_envs)
    assert (agent.steps, agent.updates) == (15 * agent.settings.num_envs, updates)


def test_a_phase_is_charged_to_the_lanes_in_equal_parts(engine, scripted):
    agent = agent_on(engine, scripted(length=1), warm_up=1, num_envs=3, updates_per_train=5, replay_capacity=6)
    losses = agent.run_episodes(3).losses
    assert agent.updates == 5
    assert agent.get_state()["loop"]["lane_n_losses"].tolist() == [0, 0, 0]
    assert np.isfinite(losses).all()  # of two, two and one updates


def test_episodes_that_end_together_wait_for_the_next_call(engine, scripted):
    agent = agent_on(engine, scripted(length=3), num_envs=4)
    assert agent.run_episodes(1).lengths.tolist() == [3]
    assert (agent.steps, agent.episodes) == (12, 4)
    assert agent.run_episodes(3).returns.tolist() == [3.0] * 3  # 0.5 + 1 + 1.5 each
    assert agent.steps == 12
    agent.run_episodes(1)
    assert agent.steps == 24


def test_epsilon_is_fixed_when_an_episode_starts(engine, scripted):
    """Two lanes start after 0 episodes; as each ends, its next starts after 1, then 2, then 3, then 4."""
    decay = {"policy_epsilon_start": 1.0, "policy_epsilon_decay": 0.5, "policy_epsilon_end": 0.1}
    agent = agent_on(engine, scripted(length=3), num_envs=2, **decay)
    assert agent.run_episodes(6).epsilons.tolist() == [1.0, 1.0, 0.5, 0.25, 0.125, 0.1]
    assert agent.epsilon == 0.1


def test_an_episode_without_updates_has_no_loss(engine, scripted):
    agent = agent_on(engine, scripted(length=4), warm_up=6)
    assert np.isnan(agent.run_episodes(2).losses).tolist() == [True, False]


@pytest.mark.parametrize(("length", "limit", "terminated"), [(9, 3, False), (3, 3, True), (2, 3, True), (9, 1, False)])
def test_the_clock_truncates_and_never_terminates(engine, scripted, length, limit, terminated):
    agent = agent_on(engine, scripted(length=length, limit=limit))
    assert agent.run_episodes(1).lengths.tolist() == [min(length, limit)]
    stored = agent.replay.transitions()
    assert (bool(stored.terminated[-1]), bool(stored.truncated[-1])) == (terminated, not terminated)
    assert not stored.terminated[:-1].any()
    assert not stored.truncated[:-1].any()


@pytest.mark.parametrize("num_envs", [1, 3])
def test_transitions_and_returns_are_as_they_happened(engine, scripted, num_envs):
    """Lane by lane: each observation is the one before's next, rewards are by the formula, returns their sums."""
    agent = agent_on(engine, scripted(length=3, reward_of_step=10, reward_of_action=0.25), num_envs=num_envs)
    returns = agent.run_episodes(2 * num_envs).returns
    stored = agent.replay.transitions()
    for lane in range(num_envs):
        observations, next_observations = stored.observations[lane::num_envs], stored.next_observations[lane::num_envs]
        steps = np.tile([1, 2, 3], 2)
        np.testing.assert_array_equal(observations[:, 0], (steps - 1) / 8)
        np.testing.assert_array_equal(next_observations[:, 0], steps / 8)
        for start in (0, 3):
            np.testing.assert_array_equal(observations[start + 1 : start + 3], next_observations[start : start + 2])
        rewards = 10 * steps + 0.25 * stored.actions[lane::num_envs]
        np.testing.assert_array_equal(stored.rewards[lane::num_envs], rewards)
        assert returns[lane::num_envs].tolist() == [rewards[:3].sum(), rewards[3:].sum()]


@pytest.mark.parametrize("num_envs", [1, 3])
def test_many_calls_are_one_call(engine, scripted, num_envs, assert_equal_runs):
    settings = {"rng": 2, "num_envs": num_envs, "warm_up": 5, "optimizer": "adam", "target_every": 7}
    whole, parts = (agent_on(engine, scripted(length=4, limit=6), **settings) for _ in range(2))
    expected = whole.run_episodes(20)
    found = [parts.run_episodes(n) for n in (1, 1, 5, 1, 2, 4, 1, 1, 1, 3)]
    for name in ("returns", "lengths", "losses", "epsilons"):
        np.testing.assert_array_equal(np.concatenate([getattr(x, name) for x in found]), getattr(expected, name))
    assert_equal_runs(parts, whole)


def test_act_is_greedy_and_draws_nothing_unless_asked_to_explore(engine, scripted):
    agent = agent_on(engine, scripted(), rng=3)
    agent.network.parameters = np.zeros_like(agent.network.parameters)
    agent.network.biases[-1][:] = [0, 5, 5]
    assert agent.act(np.zeros(3, np.float32)) == 1
    assert type(agent.act(np.zeros(3, np.float32))) is int
    assert agent.act(np.zeros((2, 3), np.float32)).tolist() == [1, 1]
    assert agent.act(np.zeros((0, 3), np.float32)).shape == (0,)
    policy = Streams(3).policy
    expected = [(policy.random(), policy.integers(3))[1] for _ in range(4)]
    assert agent.act(np.zeros((4, 3), np.float32), epsilon=1.0).tolist() == expected


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"replay": 2}, ValueError, "replay must hold observations of size 3.* got 2"),
        ({"gama": 0.9}, TypeError, "unknown setting 'gama': did you mean 'gamma'"),
        ({"rng": "seed"}, TypeError, "rng must be an int >= 0 or a numpy.random.Generator; got str"),
        ({"batch_size": 300}, ValueError, r"batch_size must be at most replay_capacity \(200\); got 300"),
        ({"network": "3x"}, ValueError, "malformed architecture '3x'"),
    ],
)
def test_bad_arguments_are_named(engine, scripted, settings, error, message):
    if "replay" in settings:
        settings = {"replay": engine.ReplayBuffer(9, settings["replay"])}
    with pytest.raises(error, match=message):
        agent_on(engine, scripted(), **settings)


def test_a_network_of_other_sizes_is_refused_and_nothing_changes(engine, scripted):
    agent = agent_on(engine, scripted())
    network, other = agent.network, engine.QNetwork("1x2-relu", 2, 3)
    with pytest.raises(ValueError, match=r"network must map 3 numbers to 3 Q-values.* got 2 to 3"):
        agent.switch_network(other)
    assert agent.network is network
    with pytest.raises(ValueError, match="network must map 3 numbers to 3 Q-values"):
        agent_on(engine, scripted(), other)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda agent: agent.run_episodes(0), ValueError, "n must be an integer >= 1; got 0"),
        (lambda agent: agent.run_episodes(1.5), TypeError, "n must be an integer >= 1; got float 1.5"),
        (lambda agent: agent.play_episodes(1, 1.5), ValueError, r"epsilon must be a number in \[0, 1\]; got 1.5"),
        (lambda agent: agent.play_episodes(1, rng="x"), TypeError, "rng must be an int >= 0 or a numpy.random.Gen"),
        (lambda agent: agent.act(np.zeros(3)), TypeError, r"observations must be float32 of shape \(3,\); got float64"),
        (lambda agent: agent.act(np.zeros((1, 4), np.float32)), ValueError, r"observations must be .* \(N, 3\); got"),
        (lambda agent: agent.act([0.0] * 3), TypeError, "observations must be float32"),
        (lambda agent: agent.learn(), ValueError, "the replay buffer is empty; add transitions before learning"),
    ],
)
def test_bad_arguments_of_methods_are_named(engine, scripted, call, error, message):
    with pytest.raises(error, match=message):
        call(agent_on(engine, scripted()))


def test_an_action_of_another_environment_is_never_learned_from(engine, scripted):
    """The memory may have been filled by anyone; its actions index the Q-values."""
    agent = agent_on(engine, scripted())
    o = np.zeros(3, np.float32)
    agent.replay.add(o, 3, 0.0, o, False, False)
    before = agent.network.parameters
    with pytest.raises(ValueError, match="action"):
        agent.learn()
    np.testing.assert_array_equal(agent.network.parameters, before)
    agent.replay.add(o, 2, 0.0, o, False, False)
    agent.replay.prune(0.5)
    agent.learn()
