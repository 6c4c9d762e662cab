"""Schedules over the steps, and the limit in steps, against arithmetic written out again.

Stable-Baselines3's are functions of what remains, 1 - steps / total, after each step.
"""

import numpy as np
import pytest

from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.seeding import Streams

SMALL = {"batch_size": 4, "replay_capacity": 200, "warm_up": 1, "rng": 3}
LINEAR = {"policy_epsilon_schedule": "linear", "steps": 40, "exploration_fraction": 0.5}


def agent_on(engine, environment, **settings):
    return engine.DQNAgent(environment, "1x4-relu", **(SMALL | settings))


def linear_of_stable_baselines3(steps, total, start, end, fraction):
    remaining = 1 - steps / total
    return end if 1 - remaining > fraction else start + (1 - remaining) * (end - start) / fraction


@pytest.mark.parametrize(("start", "end", "fraction"), [(1.0, 0.05, 0.1), (0.5, 0.0, 1.0), (0.3, 0.3, 0.16)])
def test_the_linear_epsilon_is_that_of_stable_baselines3(start, end, fraction):
    settings = AgentSettings(
        steps=1_000,
        policy_epsilon_schedule="linear",
        policy_epsilon_start=start,
        policy_epsilon_end=end,
        exploration_fraction=fraction,
    )
    for steps in range(1_001):
        expected = linear_of_stable_baselines3(steps, 1_000, start, end, fraction)
        assert settings.policy_epsilon(7, steps) == pytest.approx(expected, abs=1e-12)


def test_the_linear_epsilon_falls_from_step_to_step(engine, scripted):
    """Eight episodes of five steps: 20 steps down, 20 at the end; each step is drawn with its own epsilon."""
    agent = agent_on(engine, scripted(length=5), rng=5, warm_up=10**6, policy_epsilon_end=0.2, **LINEAR)
    epsilons = agent.run_episodes(8).epsilons
    expected = [linear_of_stable_baselines3(steps, 40, 1.0, 0.2, 0.5) for steps in range(40)]
    np.testing.assert_allclose(epsilons, expected[::5], rtol=1e-12)
    policy = Streams(5).policy
    for epsilon in expected:
        if policy.random() < epsilon:
            policy.integers(3)
    assert agent.streams.policy.random() == policy.random()
    assert agent.epsilon == pytest.approx(0.2)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_linear_learning_rate_is_the_part_of_the_steps_that_is_left(engine, scripted, optimizer):
    """An update after 30 of 40 steps is one of an agent with a quarter of the rate."""
    settings = {"optimizer": optimizer, "warm_up": 30}
    falling = agent_on(
        engine, scripted(length=5), learning_rate=0.1, learning_rate_schedule="linear", steps=40, **settings
    )
    falling.run_episodes(6)
    constant = agent_on(engine, scripted(length=5), learning_rate=0.1 * (1 - 30 / 40), **settings)
    constant.set_state(falling.get_state())
    before = falling.network.parameters.copy()
    falling.learn()
    constant.learn()
    np.testing.assert_array_equal(falling.network.parameters, constant.network.parameters)
    assert np.any(falling.network.parameters != before)


def test_after_the_last_step_the_learning_rate_is_zero(engine, scripted):
    agent = agent_on(engine, scripted(length=5), learning_rate=0.1, learning_rate_schedule="linear", steps=10)
    agent.run_episodes(2)
    before = agent.network.parameters.copy()
    agent.learn()
    np.testing.assert_array_equal(agent.network.parameters, before)


@pytest.mark.parametrize(("num_envs", "steps", "ended"), [(1, 13, 2), (1, 15, 3), (2, 26, 4), (3, 9, 0)])
def test_no_step_follows_the_last_one(engine, scripted, num_envs, steps, ended):
    """The episode that it is in does not count; the updates of the last step are made."""
    agent = agent_on(engine, scripted(length=5), num_envs=num_envs, steps=steps, updates_per_step=2)
    assert not agent.finished
    assert len(agent.run_episodes(100)) == ended
    assert (agent.steps, agent.updates, agent.episodes) == (steps, 2 * steps, ended)
    assert agent.finished
    state = agent.streams.get_state()
    assert len(agent.run_episodes(1)) == 0
    assert agent.streams.get_state() == state
    assert len(agent.play_episodes(3)) == 3


def test_episodes_that_wait_are_returned_after_the_last_step(engine, scripted):
    agent = agent_on(engine, scripted(length=5), num_envs=3, steps=15)
    assert [len(agent.run_episodes(2)) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"policy_epsilon_schedule": "linear"}, "policy_epsilon_schedule must be 'exponential' without steps; got"),
        ({"learning_rate_schedule": "linear"}, "learning_rate_schedule must be 'constant' without steps; got"),
        ({"steps": 100, "num_envs": 3}, r"steps must be a multiple of num_envs \(3\); got 100"),
        ({"steps": 0}, "steps must be"),
        ({"exploration_fraction": 0.0}, "exploration_fraction must be"),
        ({"adam_epsilon": 0.0}, "adam_epsilon must be"),
    ],
)
def test_schedules_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AgentSettings(**settings)


def test_the_epsilon_of_adam_reaches_the_optimizer(engine, scripted):
    agent = agent_on(engine, scripted(), optimizer="adam", adam_epsilon=0.5)
    assert agent.optimizer.settings.epsilon == 0.5
