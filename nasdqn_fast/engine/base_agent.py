"""What the native agent and its NumPy twin have in common: everything but the loop."""

from __future__ import annotations

import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar, cast

import numpy as np

from nasdqn_fast import envs, memory
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.copying import Independent
from nasdqn_fast.engine import object_file
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.networks_in_use import N, NetworksInUse, O
from nasdqn_fast.engine.protocol import Replay
from nasdqn_fast.errors import NonFiniteError
from nasdqn_fast.seeding import Streams
from nasdqn_fast.types import Episodes
from nasdqn_fast.validation import (
    check_actions,
    check_all_finite,
    check_array,
    check_instance,
    check_observations,
    check_rng,
    check_unit_interval,
    first_non_finite,
)

R = TypeVar("R", bound=Replay)


class BaseAgent(NetworksInUse[N, O], Independent, ABC, Generic[N, R, O]):
    """An agent, the environments it plays and all that it learns from.

    Args:
        env: name, kernel or environment, or one of Gymnasium: see `nasdqn_fast.envs.make`.
        network: architecture of a new online network, or the network itself.
        rng: seed, Generator or Streams of every draw.
        replay: memory to start with; None makes an empty one.
        settings: see `AgentSettings`.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
    """

    replay_type: Any  # set by a backend

    _warned = False  # that no update was made

    def __init__(
        self,
        env: Any,
        network: Any,
        *,
        rng: int | np.random.Generator | Streams = 0,
        replay: Any = None,
        **settings: Any,
    ) -> None:
        given = AgentSettings.from_keywords(settings)
        self._environment = envs.make(env)
        self._settings = given.with_rows(envs.rows_of(self._environment))
        if not isinstance(rng, Streams):
            check_rng("rng", rng)  # here, because of Streams the argument is the seed
            rng = Streams(rng)
        self._streams = rng
        size = self.environment.observation_size
        if not isinstance(network, self.network_type):
            network = self._new_network(network, self.streams.init)
        if replay is None:
            replay = self._new_replay()
        check_instance("replay", replay, self.replay_type, f"make a ReplayBuffer(capacity, {size})")
        if replay.observation_size != size:
            raise ValueError(
                f"replay must hold observations of size {size}, as the environment's; "
                f"got {replay.observation_size}; make a ReplayBuffer(capacity, {size})"
            )
        self._replay: R = replay
        warned = memory.is_short()  # when the replay memory was made
        self._start()
        if not warned:
            memory.warn_if_short()
        self.switch_network(network)

    def __repr__(self) -> str:
        done = f"{self.episodes:,} episodes, {self.steps:,} steps, {self.updates:,} updates"
        return f"<{type(self).__name__} {self.network.architecture} in {self.environment.kernel.name}: {done}>"

    # Read-only, because the compiled loop keeps addresses and copies.
    @property
    def streams(self) -> Streams:
        """Its random streams."""
        return self._streams

    @property
    def replay(self) -> R:
        """The replay memory."""
        return self._replay

    @property
    def steps(self) -> int:
        """Environment steps so far."""
        return self._counters()[0]

    @property
    def updates(self) -> int:
        """Updates so far."""
        return self._counters()[1]

    @property
    def episodes(self) -> int:
        """Ended episodes so far."""
        return self._counters()[2]

    @property
    @abstractmethod
    def unreported(self) -> int:
        """Episodes that have ended and that no call of `run_episodes` has returned yet; a backend's count."""

    @property
    def whole(self) -> bool:
        """Whether the agent is between two steps; after an exception within a step there is no valid state."""
        return True

    def warning_of_no_update(self) -> str:
        """A warning if the agent has played without an update because of its warm-up; else empty."""
        warm_up = self.settings.warm_up
        if not 0 < self.steps < warm_up or self.updates:
            return ""
        return (
            f"no update was made: {self.steps:,} environment steps are fewer than warm_up ({warm_up:,}), so the "
            "network is as it was drawn; train for longer, or lower warm_up"
        )

    def _warn_of_no_update(self) -> None:
        """Warns once."""
        if not self._warned and (line := self.warning_of_no_update()):
            self._warned = True
            warnings.warn(line, stacklevel=3)

    @property
    def epsilon(self) -> float:
        """Exploration probability of the next episode to start, or, if it follows the steps, of the next step."""
        return self.settings.policy_epsilon(self.episodes, self.steps)

    @property
    def finished(self) -> bool:
        """Whether the last of the steps that the settings allow is made: `run_episodes` then plays none."""
        return self.settings.steps is not None and self.steps >= self.settings.steps

    @abstractmethod
    def run_episodes(self, n: int, stop: StopToken | None = None) -> Episodes:
        """Plays and learns until n episodes have ended, or the last step is made; a backend's loop."""

    def act(self, observations: np.ndarray, epsilon: float = 0.0) -> int | np.ndarray:
        """Epsilon-greedy actions; the draws are of ``streams.policy``, and with epsilon 0 there are none.

        Args:
            observations: float32 (observation_size,) for one action, (N, observation_size) for int64 (N,).
            epsilon: exploration probability.

        Raises:
            TypeError, ValueError: observations of the wrong type or shape, or not finite.
            NonFiniteError: a Q-value is not finite.
        """
        epsilon = check_unit_interval("epsilon", epsilon)
        size = self.environment.observation_size
        if isinstance(observations, np.ndarray) and observations.ndim == 1:
            return int(self._act(check_array("observations", observations, (size,), np.float32)[None], epsilon)[0])
        return self._act(check_observations(observations, size), epsilon)

    def _act(self, observations: np.ndarray, epsilon: float) -> np.ndarray:
        """Row by row: a uniform, then, below epsilon, a random action; argmax Q, the lowest of equals, elsewhere."""
        q = self._q(check_all_finite("observations", observations))
        if not np.isfinite(q).all():
            raise self.settings.non_finite("weights", self.episodes + 1)
        actions = np.argmax(q, axis=1)
        if epsilon > 0:
            policy, n_actions = self.streams.policy, self.environment.n_actions
            for i in range(len(actions)):
                if policy.random() < epsilon:
                    actions[i] = policy.integers(n_actions)
        return actions

    def _q(self, observations: np.ndarray) -> np.ndarray:
        return self.network.forward(observations)

    def beside(self, network: Any, **keywords: Any) -> Any:
        """A new agent of one network, of this backend and in this environment, that shares nothing else with this one.

        Args:
            network: what it plays and trains.
            **keywords: as the constructor's.
        """
        return type(self)(self.environment, network, **keywords)

    def get_state(self) -> dict[str, Any]:
        """Plain values and arrays, all that a resumed agent of the same settings needs; both backends read it.

        Raises:
            ValueError: a weight is not finite, which `set_state` would refuse.
        """
        normalizer = self.network.normalizer
        return {
            **({} if normalizer is None else {"normalizer": normalizer.get_state()}),
            **self._network_state(self.network),
            "target": check_all_finite("target", self.target.parameters),
            "optimizer": self.optimizer.get_state(),
            "replay": self.replay.get_state(),
            "streams": self.streams.get_state(),
            "loop": self._loop_state(),
            **({} if self._stand_in is None else {"stand_in": self.network_state(self._stand_in)}),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a state returned by `get_state`, whatever architecture the network has by then.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or one of other settings.
        """
        network = self._saved_network(state, state.get("normalizer"))
        self.switch_network(network, state["optimizer"])
        if self.settings.normalize_observations:  # and not by what this agent has seen
            network.normalizer.set_state(state["normalizer"])  # the target's, too
        self.target.parameters = check_all_finite("target", state["target"])
        if stand_in := state.get("stand_in"):
            self.act_with(self.network_of_state(stand_in))
        self._set_state_beside_networks(state)

    def _set_state_beside_networks(self, state: Mapping[str, Any]) -> None:
        self.streams.set_state(state["streams"])
        self.replay.set_state(state["replay"])
        self._check_replay(state["replay"])
        self._set_loop_state(state["loop"])

    @classmethod
    def networks_of(cls, state: Mapping[str, Any]) -> Any:
        """The networks for an agent that is to have this state."""
        return state["architecture"]

    def _check_replay(self, state: Mapping[str, Any]) -> None:
        """Refuses what a memory may hold, but no loop has stored."""
        check_actions(state["actions"], len(self.replay), self.environment.n_actions)

    def _new_replay(self) -> R:
        size = self.environment.observation_size
        return cast(R, self.replay_type(self.settings.replay_capacity, size, self.streams.replay))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the agent to a file that both backends read; whole or not at all.

        It holds all that `get_state` returns, the settings, and the environment's name, parameters and time limit.

        Raises:
            ValueError: a weight is not finite; nothing was written.
            OSError: the folder is missing or not writable.
        """
        object_file.save_agent(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str], env: Any = None) -> Self:
        """The agent in a file that `save` wrote; it continues to the same bits as the one that was saved.

        Args:
            path: the file.
            env: the environment, where the file's cannot be found by its name; a name or kernel gets the parameters and
                the time limit that were saved.

        Raises:
            InputError: the file is missing, damaged or no such file, or the environment is unknown or does not fit.
        """
        return cast(Self, object_file.load_agent(path, cls, env))

    @classmethod
    def options_of(cls, dtype: str) -> dict[str, Any]:
        """The options, besides the settings, of an agent and a memory of this dtype."""
        return {}

    def _non_finite_loss(self) -> NonFiniteError:
        """The error for a loss that is not finite: of weights that were not, or too large by itself.

        What the memory holds is finite, for it takes nothing else.
        """
        return self.settings.non_finite("loss", self.episodes + 1, first_non_finite(self._failed_weights()))

    def _failed_weights(self) -> dict[str, np.ndarray]:
        """Parameters of the network and the target that the last loss is of."""
        return {"network": self.network.parameters, "target": self.target.parameters}

    def _require_memory(self) -> None:
        if len(self.replay) == 0:
            raise ValueError("the replay buffer is empty; add transitions before learning")

    def _start(self) -> None:
        """Makes what the loop needs besides the network."""

    @abstractmethod
    def _counters(self) -> tuple[int, int, int]:
        """Environment steps, updates, ended episodes."""

    @abstractmethod
    def _loop_state(self) -> dict[str, Any]:
        """Lanes, counters and unreported episodes, in the form of `LoopCore.get_state`."""

    @abstractmethod
    def _set_loop_state(self, state: dict[str, Any]) -> None:
        """Restores a state returned by `_loop_state`."""
