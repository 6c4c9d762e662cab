"""The DQN agent in plain NumPy: section 2.3.1 of Rahmani et al. 2025 (arXiv:2510.19872).

Double DQN (van Hasselt, Guez & Silver 2016, arXiv:1509.06461) with a replay memory and a hard target
copy. The order of random draws is the native agent's, so that both play the same episodes until
rounding parts them.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nasdqn_fast import envs
from nasdqn_fast.agent_settings import AgentSettings
from nasdqn_fast.envs.kernel import Environment, EnvKernel
from nasdqn_fast.reference.lane import Lane
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.reference.optimizer import Optimizer
from nasdqn_fast.reference.replay import ReplayBuffer
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Batch, Episodes
from nasdqn_fast.validation import check_array, check_observations, check_positive_int, check_rng, check_unit_interval

Ended = tuple[float, int, float, float]  # return, length, mean loss, epsilon


class DQNAgent:
    """An agent, the environments it plays and all that it learns from.

    Args:
        env: name, kernel or environment.
        network: architecture of a new online network, or the network itself.
        rng: seed, Generator or Streams of every draw.
        replay: memory to go on with; None makes an empty one.
        dtype: float32 or float64, of network and memory.
        settings: see `AgentSettings`.

    Attributes:
        network, target: online and target network.
        steps, updates, episodes: environment steps, updates and ended episodes so far.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
    """

    def __init__(
        self,
        env: str | EnvKernel | Environment,
        network: str | Architecture | QNetwork,
        *,
        rng: int | np.random.Generator | Streams = 0,
        replay: ReplayBuffer | None = None,
        dtype: DTypeLike = np.float32,
        **settings: Any,
    ) -> None:
        self.settings = AgentSettings.from_keywords(settings)
        self.environment = envs.make(env)
        self.streams = rng if isinstance(rng, Streams) else Streams(rng)
        sizes = self.environment.observation_size, self.environment.n_actions
        if not isinstance(network, QNetwork):
            network = QNetwork(network, *sizes, self.streams.init, dtype=dtype)
        self._check_network(network)
        self.network = network
        self.target = network.copy()
        self.optimizer = self._new_optimizer()
        if replay is None:
            replay = ReplayBuffer(self.settings.replay_capacity, sizes[0], self.streams.replay, dtype=dtype)
        if replay.observation_size != sizes[0]:
            raise ValueError(
                f"replay must hold observations of size {sizes[0]}, as the environment's; "
                f"got {replay.observation_size}; make a ReplayBuffer(capacity, {sizes[0]})"
            )
        self.replay = replay
        self.steps = self.updates = self.episodes = 0
        self._lanes: list[Lane] = []
        self._pending: deque[Ended] = deque()

    @property
    def epsilon(self) -> float:
        """Exploration probability of the next episode to start."""
        return self.settings.policy_epsilon(self.episodes)

    def run_episodes(self, n: int) -> Episodes:
        """Plays and learns until n episodes have ended.

        Episodes beyond n that end in the same vector step are returned first by the next call, and
        lanes in the middle of an episode go on in it.

        Raises:
            NonFiniteError: a loss, weight, observation or reward is not finite.
            RuntimeError: the environment's step reported an error.
        """
        n = check_positive_int("n", n)
        if not self._lanes:
            self._lanes = [Lane.of(self.environment) for _ in range(self.settings.num_envs)]
            for lane in self._lanes:
                self._start_episode(lane)
        while len(self._pending) < n:
            self._vector_step()
        return _episodes([self._pending.popleft() for _ in range(n)])

    def play_episodes(self, n: int, epsilon: float = 0.0, rng: int | np.random.Generator | None = None) -> Episodes:
        """Plays n episodes one after the other, without learning and beside those of `run_episodes`.

        One lane only: of several in lockstep the short episodes would end, and be counted, first.

        Args:
            n: episodes.
            epsilon: exploration probability; 0 is the greedy policy.
            rng: of all draws, the environment's and the policy's; None is ``streams.evaluation``.

        Returns:
            the episodes; their losses are NaN.

        Raises:
            NonFiniteError, RuntimeError: as `run_episodes`.
        """
        n = check_positive_int("n", n)
        epsilon = check_unit_interval("epsilon", epsilon)
        rng = self.streams.evaluation if rng is None else check_rng("rng", rng)
        lane, played = Lane.of(self.environment), []
        for episode in range(1, n + 1):
            lane.reset(rng, epsilon)
            self._require_finite("observation", lane.observation, episode)
            ended = False
            while not ended:
                action = self._epsilon_greedy(lane.observation, epsilon, rng)
                reward, terminated, truncated = lane.step(action, rng)
                self._require_finite("reward", reward, episode)
                self._require_finite("observation", lane.observation, episode)
                ended = terminated or truncated
            played.append(_ended(lane))
        return _episodes(played)

    def act(self, observations: np.ndarray, epsilon: float = 0.0) -> int | np.ndarray:
        """Epsilon-greedy actions; the draws are of ``streams.policy``, and with epsilon 0 there are none.

        Args:
            observations: float32 (observation_size,) for one action, (N, observation_size) for int64 (N,).
            epsilon: exploration probability.
        """
        epsilon = check_unit_interval("epsilon", epsilon)
        size = self.environment.observation_size
        if isinstance(observations, np.ndarray) and observations.ndim == 1:
            return self._act(check_array("observations", observations, (size,), np.float32), epsilon)
        observations = check_observations(observations, size)
        return np.array([self._act(observation, epsilon) for observation in observations], np.int64)

    def learn(self) -> float:
        """One update from the replay memory, and a copy to the target when one is due.

        Returns:
            mean Huber loss of the minibatch, before the update.

        Raises:
            ValueError: the memory is empty.
            NonFiniteError: the loss is not finite; nothing was changed.
        """
        settings = self.settings
        batch = self.replay.sample(settings.batch_size)
        # Overflow on the way is no news: it ends in a loss that is not finite, which is reported below.
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradient = self.network.loss_and_gradient(
                batch.observations, batch.actions, self._double_dqn_targets(batch), settings.huber_delta
            )
        self._require_finite("loss", loss, self.episodes + 1)
        self.network.apply_gradient(gradient, self.optimizer)
        self.updates += 1
        if self.updates % settings.target_every == 0:
            self.target.copy_from(self.network)
        return loss

    def switch_network(self, network: QNetwork) -> None:
        """Goes on with another online network: target := its copy, optimizer state reset."""
        self._check_network(network)
        self.network, self.target = network, network.copy()
        self.optimizer = self._new_optimizer()

    def get_state(self) -> dict[str, Any]:
        """Plain values and arrays, all that a resumed agent of the same settings needs."""
        return {
            "architecture": str(self.network.architecture),
            "network": self.network.parameters,
            "target": self.target.parameters,
            "optimizer": self.optimizer.get_state(),
            "replay": self.replay.get_state(),
            "streams": self.streams.get_state(),
            "steps": self.steps,
            "updates": self.updates,
            "episodes": self.episodes,
            "lanes": [lane.get_state() for lane in self._lanes],
            "pending": [list(ended) for ended in self._pending],
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes back what `get_state` gave, whatever architecture the network has by then."""
        environment, dtype = self.environment, self.network.dtype
        network = QNetwork(state["architecture"], environment.observation_size, environment.n_actions, dtype=dtype)
        network.parameters = state["network"]
        self.switch_network(network)
        self.target.parameters = state["target"]
        self.optimizer.set_state(state["optimizer"])
        self.streams.set_state(state["streams"])
        self.replay.set_state(state["replay"])
        self.steps, self.updates, self.episodes = state["steps"], state["updates"], state["episodes"]
        self._lanes = [Lane.of(environment) for _ in state["lanes"]]
        for lane, lane_state in zip(self._lanes, state["lanes"], strict=True):
            lane.set_state(lane_state)
        self._pending = deque(tuple(ended) for ended in state["pending"])

    def _vector_step(self) -> None:
        """Act, step, store, learn, and report the episodes that ended."""
        actions = [self._epsilon_greedy(lane.observation, lane.epsilon, self.streams.policy) for lane in self._lanes]
        ended = [self._step_and_store(lane, action) for lane, action in zip(self._lanes, actions, strict=True)]
        if self.steps >= self.settings.warm_up:
            for lane in self._lanes:
                for _ in range(self.settings.updates_per_step):
                    lane.losses.append(self.learn())
        for lane, has_ended in zip(self._lanes, ended, strict=True):
            if has_ended:
                self._pending.append(_ended(lane))
                self.episodes += 1
                self._require_finite("weights", self.network.parameters, self.episodes)
                self._start_episode(lane)

    def _start_episode(self, lane: Lane) -> None:
        lane.reset(self.streams.env, self.epsilon)
        self._require_finite("observation", lane.observation, self.episodes + 1)

    def _step_and_store(self, lane: Lane, action: int) -> bool:
        """One transition into the memory; True if it ended the episode."""
        observation = lane.observation
        reward, terminated, truncated = lane.step(action, self.streams.env)
        self._require_finite("reward", reward, self.episodes + 1)
        self._require_finite("observation", lane.observation, self.episodes + 1)
        dtype = self.replay.dtype
        self.replay.add(
            observation.astype(dtype), action, reward, lane.observation.astype(dtype), terminated, truncated
        )
        self.steps += 1
        return terminated or truncated

    def _epsilon_greedy(self, observation: np.ndarray, epsilon: float, rng: np.random.Generator) -> int:
        """A random action with probability epsilon, else the greedy one; one uniform is always drawn."""
        if rng.random() < epsilon:
            n_actions = self.environment.n_actions
            return int(rng.integers(n_actions)) if n_actions > 1 else 0
        return self._greedy(observation)

    def _act(self, observation: np.ndarray, epsilon: float) -> int:
        if epsilon == 0:
            return self._greedy(observation)
        return self._epsilon_greedy(observation, epsilon, self.streams.policy)

    def _greedy(self, observation: np.ndarray) -> int:
        """argmax_a Q(s, a; w), the lowest index of equals."""
        q = self.network.forward(observation[None].astype(self.network.dtype))
        return int(np.argmax(q[0]))

    def _double_dqn_targets(self, batch: Batch) -> np.ndarray:
        """y = r + gamma Q(s', argmax_a' Q(s', a'; w); w-), and y = r where the episode is over."""
        over = batch.terminated
        if self.settings.horizon_is == "terminal":
            over = over | batch.truncated
        best = np.argmax(self.network.forward(batch.next_observations), axis=1)
        q_next = self.target.forward(batch.next_observations)[np.arange(len(batch)), best]
        return batch.rewards + self.settings.gamma * np.where(over, 0, q_next)

    def _new_optimizer(self) -> Optimizer:
        settings = self.settings.optimizer_settings()
        return Optimizer(settings.kind, settings.learning_rate, settings.clip)

    def _check_network(self, network: QNetwork) -> None:
        expected = self.environment.observation_size, self.environment.n_actions
        found = network.observation_size, network.n_actions
        if found != expected:
            raise ValueError(
                f"network must map {expected[0]} numbers to {expected[1]} Q-values, as the environment asks; "
                f"got {found[0]} to {found[1]}; make a QNetwork(architecture, {expected[0]}, {expected[1]})"
            )

    def _require_finite(self, what: str, value: float | np.ndarray, episode: int) -> None:
        if not np.isfinite(value).all():
            raise self.settings.non_finite(what, episode)


def _ended(lane: Lane) -> Ended:
    return lane.episode_return, lane.length, lane.mean_loss(), lane.epsilon


def _episodes(ended: list[Ended]) -> Episodes:
    returns, lengths, losses, epsilons = zip(*ended, strict=True)
    return Episodes(np.array(returns), np.array(lengths, np.int64), np.array(losses), np.array(epsilons))
