"""What is measured: the paper's agents on its pendulum (Rahmani et al. 2025, arXiv:2510.19872)."""

from __future__ import annotations

import numpy as np

from nasdqn_fast import envs
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.engine.replay import ReplayBuffer
from nasdqn_fast.space import Architecture

ARCHITECTURES = tuple(map(Architecture.parse, ("2x32-relu", "3x64-relu", "4x128-relu", "3x64-tanh")))
ENVIRONMENT = "inverted-pendulum"
OBSERVATION_SIZE, N_ACTIONS = 3, 3
EPISODE = 200  # steps
BATCH = 64
CAPACITY = 10_000  # transitions
EPSILON = 0.05  # constant, so that one step costs what another does: exploring steps have no forward pass


OPTIMIZERS = ("sgd", "adam")


def learning_agent(
    architecture: Architecture,
    capacity: int = CAPACITY,
    optimizer: str = "sgd",
    batch_size: int = BATCH,
    replay_sampling: str = "uniform",
) -> DQNAgent:
    """An agent with a full replay memory, learning from its first step on."""
    return DQNAgent(
        envs.make(ENVIRONMENT, max_episode_steps=EPISODE),
        architecture,
        replay=filled_replay(capacity),
        optimizer=optimizer,
        batch_size=batch_size,
        replay_sampling=replay_sampling,
        warm_up=0,
        policy_epsilon_start=EPSILON,
        policy_epsilon_end=EPSILON,
    )


def filled_replay(capacity: int) -> ReplayBuffer:
    """A full replay memory of random transitions."""
    replay = ReplayBuffer(capacity, OBSERVATION_SIZE, rng=0)
    replay.add_batch(*transitions(capacity))
    return replay


def transitions(n: int) -> tuple[np.ndarray, ...]:
    """Arguments of `ReplayBuffer.add_batch`: n random transitions."""
    rng = np.random.default_rng(0)
    observations = rng.standard_normal((n, OBSERVATION_SIZE), np.float32)
    rewards, actions = rng.standard_normal(n, np.float32), rng.integers(N_ACTIONS, size=n)
    flags = np.zeros(n, bool)
    return observations, actions, rewards, observations[::-1].copy(), flags, flags
