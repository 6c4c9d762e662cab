"""The engine's parts, on the CPU target in use: asv's own clock over the public API."""

import numpy as np

from nasdqn_fast import DQNAgent, Optimizer, QNetwork, ReplayBuffer

ARCHITECTURES = ["2x32-relu", "3x64-relu", "4x128-relu", "3x64-tanh"]
BATCH = 64


class Network:
    params = (ARCHITECTURES,)
    param_names = ("architecture",)

    def setup(self, architecture: str) -> None:
        rng = np.random.default_rng(0)
        self.network = QNetwork(architecture, observation_size=3, n_actions=3, rng=rng)
        self.optimizer = Optimizer("sgd")
        self.observations = rng.standard_normal((BATCH, 3)).astype(np.float32)
        self.actions = rng.integers(0, 3, BATCH)
        self.targets = rng.standard_normal(BATCH).astype(np.float32)

    def time_forward(self, architecture: str) -> None:
        self.network.forward(self.observations)

    def time_learn(self, architecture: str) -> None:
        _, gradient = self.network.loss_and_gradient(self.observations, self.actions, self.targets)
        self.network.apply_gradient(gradient, self.optimizer)


class Training:
    """One episode of 200 training steps of the pendulum: act, step, store, sample, learn."""

    params = (ARCHITECTURES,)
    param_names = ("architecture",)

    def setup(self, architecture: str) -> None:
        self.agent = DQNAgent("inverted-pendulum", architecture, replay_capacity=10_000)
        self.agent.run_episodes(50)

    def time_episode(self, architecture: str) -> None:
        self.agent.run_episodes(1)


class Replay:
    params = ((10_000, 1_000_000),)
    param_names = ("capacity",)

    def setup(self, capacity: int) -> None:
        rng = np.random.default_rng(0)
        self.replay = ReplayBuffer(capacity, observation_size=3, rng=rng)
        observations = rng.standard_normal((capacity, 3)).astype(np.float32)
        flags = np.zeros(capacity, bool)
        rewards, actions = np.zeros(capacity, np.float32), np.zeros(capacity, np.int64)
        self.replay.add_batch(observations, actions, rewards, observations, flags, flags)
        self.batch = self.replay.sample(BATCH)
        self.observation = observations[0]

    def time_add(self, capacity: int) -> None:
        self.replay.add(self.observation, 1, 0.5, self.observation, False, False)

    def time_sample(self, capacity: int) -> None:
        self.replay.sample(BATCH, out=self.batch)
