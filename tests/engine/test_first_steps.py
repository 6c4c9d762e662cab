"""Steps at random, and how steps are counted, against the draws and sums written out again."""

import numpy as np
import pytest

from nasdqn_fast.engine import backends
from nasdqn_fast.seeding import Streams

QUICK = {"batch_size": 4, "replay_capacity": 200, "warm_up": 1, "learning_rate": 0.1, "rng": 3}


def agent_on(engine, environment, **settings):
    return engine.DQNAgent(environment, "1x4-relu", **(QUICK | settings))


@pytest.mark.parametrize("random_steps", [0, 7, 12])
def test_the_first_actions_are_uniform_draws_and_nothing_else(engine, scripted, random_steps):
    greedy = {"policy_epsilon_start": 0.0, "policy_epsilon_end": 0.0}
    agent = agent_on(engine, scripted(length=5), random_steps=random_steps, warm_up=10**6, **greedy)
    assert np.all(agent.run_episodes(4).epsilons == 0)
    policy = Streams(3).policy
    expected = [policy.integers(3) for _ in range(random_steps)]
    assert agent.replay.transitions().actions[:random_steps].tolist() == expected
    policy.random(20 - random_steps)  # whether to explore, which is no
    assert agent.streams.policy.random() == policy.random()


def test_evaluations_are_never_random(engine, scripted):
    agent = agent_on(engine, scripted(reward_of_action=1.0), random_steps=10**6)
    returns = agent.play_episodes(20).returns
    untouched = agent_on(engine, scripted(reward_of_action=1.0))
    np.testing.assert_array_equal(returns, untouched.play_episodes(20).returns)


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize(("first_step", "warm_up"), [(1, 1), (0, 1), (1, 9), (0, 9), (0, 0)])
def test_phases_come_where_the_number_of_the_step_is_a_multiple(engine, scripted, first_step, warm_up, num_envs):
    agent = agent_on(
        engine,
        scripted(length=1),
        train_every=3,
        updates_per_train=2,
        warm_up=warm_up,
        first_step=first_step,
        num_envs=num_envs,
    )
    numbers = [n - 1 + first_step for n in range(1, 16)]
    due = [n % 3 == 0 and n * num_envs >= warm_up for n in numbers]
    for n in range(15):
        agent.run_episodes(num_envs)
        assert agent.updates == 2 * sum(due[: n + 1])


@pytest.mark.parametrize("first_step", [0, 1])
@pytest.mark.parametrize("target_moves", ["before", "after"])
def test_a_move_precedes_or_follows_the_updates_of_its_step(engine, scripted, target_moves, first_step):
    settings = {"target_every": 4, "target_unit": "steps", "target_moves": target_moves, "first_step": first_step}
    agent = agent_on(engine, scripted(length=1), updates_per_step=2, **settings)
    before, target = agent.network.parameters.copy(), agent.target.parameters.copy()
    for step in range(1, 13):
        agent.run_episodes(1)
        if (step - 1 + first_step) % 4 == 0:
            target = agent.network.parameters.copy() if target_moves == "after" else before
        np.testing.assert_array_equal(agent.target.parameters, target)
        before = agent.network.parameters.copy()


SETTINGS = {
    "random_steps": 30,
    "first_step": 0,
    "train_every": 4,
    "updates_per_train": 3,
    "target_every": 8,
    "target_unit": "steps",
    "target_moves": "after",
    "warm_up": 10,
}


@pytest.mark.parametrize("num_envs", [1, 2])
@pytest.mark.parametrize("episodes", [1, 4, 9])
def test_an_agent_continues_from_its_state(engine, scripted, assert_equal_runs, episodes, num_envs):
    straight, broken, resumed = (agent_on(engine, scripted(), num_envs=num_envs, **SETTINGS) for _ in range(3))
    straight.run_episodes(20)
    broken.run_episodes(episodes)
    resumed.set_state(broken.get_state())
    resumed.run_episodes(20 - episodes)
    assert_equal_runs(resumed, straight)


@pytest.mark.parametrize("num_envs", [1, 2])
def test_both_backends_play_and_learn_the_same(scripted, num_envs):
    native, twin = (agent_on(backends.find(name), scripted(), num_envs=num_envs, **SETTINGS) for name in backends.NAMES)
    for _ in range(5):
        native.run_episodes(4)
        twin.run_episodes(4)
        assert (native.steps, native.updates) == (twin.steps, twin.updates)
        np.testing.assert_array_equal(native.replay.transitions().actions, twin.replay.transitions().actions)
        np.testing.assert_allclose(native.target.parameters, twin.target.parameters, atol=1e-5)
    assert native.streams.get_state() == twin.streams.get_state()
