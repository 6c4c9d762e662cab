"""When and how far the target network follows, against a few lines of arithmetic."""

import numpy as np
import pytest

# Learns from the first step on, and so fast that every update shows.
QUICK = {"batch_size": 4, "replay_capacity": 200, "warm_up": 1, "learning_rate": 0.1, "rng": 3}


def agent_on(engine, environment, **settings):
    return engine.DQNAgent(environment, "1x4-relu", **(QUICK | settings))


def parameters_of(agent):
    return agent.network.parameters.copy(), agent.target.parameters.copy()


def test_polyaks_target_is_an_exponential_average(engine, scripted):
    """w- <- 0.1 w + 0.9 w- after every third update."""
    agent = agent_on(engine, scripted(), target_tau=0.1, target_every=3)
    agent.run_episodes(2)
    agent.target.parameters = np.ones_like(agent.target.parameters)
    expected = np.ones(len(agent.target.parameters))
    for _ in range(30):
        agent.learn()
        network, target = parameters_of(agent)
        if agent.updates % 3 == 0:
            expected = 0.1 * network.astype(float) + 0.9 * expected
        np.testing.assert_allclose(target, expected, rtol=0, atol=2e-6)


def test_a_target_that_has_reached_the_network_stays_there(engine, scripted):
    agent = agent_on(engine, scripted(), target_tau=0.3, target_every=1, target_unit="steps", warm_up=10**6)
    agent.run_episodes(3)
    np.testing.assert_array_equal(*parameters_of(agent))


def test_a_target_that_fades_becomes_zero_and_never_subnormal(engine, scripted):
    agent = agent_on(engine, scripted(), target_tau=0.9, target_every=1, target_unit="steps", warm_up=10**6)
    agent.network.parameters = np.zeros_like(agent.network.parameters)
    agent.target.parameters = np.ones_like(agent.target.parameters)
    smallest = np.finfo(np.float32).tiny
    for _ in range(12):  # 60 steps: a factor of 1e-60
        agent.run_episodes(1)
        target = np.abs(agent.target.parameters)
        assert np.all((target == 0) | (target >= smallest))
    assert not target.any()


@pytest.mark.parametrize(("num_envs", "target_every", "vector_steps"), [(1, 3, 3), (2, 6, 3), (3, 7, 2), (4, 2, 1)])
def test_steps_move_the_target_before_the_updates_that_follow(engine, scripted, num_envs, target_every, vector_steps):
    """Every max(target_every // num_envs, 1) vector steps, as Stable-Baselines3's DQN."""
    agent = agent_on(
        engine,
        scripted(length=1),
        num_envs=num_envs,
        target_every=target_every,
        target_unit="steps",
        updates_per_step=2,
    )
    before, target = parameters_of(agent)
    for step in range(1, 10):
        agent.run_episodes(num_envs)
        if step % vector_steps == 0:
            target = before
        np.testing.assert_array_equal(agent.target.parameters, target)
        before = agent.network.parameters.copy()
    assert agent.steps == 9 * num_envs
