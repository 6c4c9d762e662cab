"""What is the NumPy agent's alone: float64, and losses that a test can choose. What both share: tests/engine."""

import numpy as np

from nasdqn_fast import envs
from nasdqn_fast.reference import DQNAgent


def agent_with_short_episodes(**settings):
    """Episodes of two steps, too short for a pole to fall."""
    environment = envs.make("cartpole", max_episode_steps=2)
    return DQNAgent(environment, "1x4-relu", batch_size=4, replay_capacity=50, **settings)


def test_the_losses_of_a_vector_step_are_shared_out_among_its_lanes(monkeypatch):
    agent = agent_with_short_episodes(num_envs=2, updates_per_step=2, warm_up=0)
    losses = iter(range(8))
    monkeypatch.setattr(agent, "learn", lambda: next(losses))
    assert agent.run_episodes(2).losses.tolist() == [(0 + 1 + 4 + 5) / 4, (2 + 3 + 6 + 7) / 4]


def test_float64_reaches_network_memory_and_target():
    agent = agent_with_short_episodes(warm_up=1, dtype=np.float64)
    agent.run_episodes(1)
    assert agent.network.parameters.dtype == agent.target.parameters.dtype == np.float64
    assert agent.replay.transitions().observations.dtype == np.float64


def test_an_update_in_float64_is_that_of_float32_but_for_rounding():
    single, double = (agent_with_short_episodes(warm_up=10**6, dtype=dtype) for dtype in (np.float32, np.float64))
    for agent in (single, double):
        agent.run_episodes(10)
    np.testing.assert_allclose(single.learn(), double.learn(), rtol=1e-5)
    np.testing.assert_allclose(single.network.parameters, double.network.parameters, atol=1e-7)
