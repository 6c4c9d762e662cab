"""What the native agent and its NumPy twin have in common: everything but the loop."""

from __future__ import annotations

import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, Self, TypeVar, cast

import numpy as np

from nasdqn_fast import envs, memory
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.copying import Independent
from nasdqn_fast.engine import object_file
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.base_normalizer import BaseNormalizer
from nasdqn_fast.engine.optimizer_settings import OptimizerSettings
from nasdqn_fast.engine.protocol import Optimizer, Replay
from nasdqn_fast.envs import AnyEnvironment
from nasdqn_fast.errors import NonFiniteError
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import Architecture
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

N = TypeVar("N", bound=BaseNetwork)
R = TypeVar("R", bound=Replay)
O = TypeVar("O", bound=Optimizer)  # noqa: E741


class BaseAgent(Independent, ABC, Generic[N, R, O]):
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

    # Set by a backend, as the classes that are its type arguments.
    network_type: Any
    replay_type: Any
    _stand_in: N | None = None
    optimizer_type: Any

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
    def environment(self) -> AnyEnvironment:
        """What is played."""
        return self._environment

    @property
    def settings(self) -> AgentSettings:
        """What it was made with."""
        return self._settings

    @property
    def streams(self) -> Streams:
        """Its random streams."""
        return self._streams

    # `switch_network` changes these three.
    @property
    def network(self) -> N:
        """The online network."""
        return self._network

    @property
    def target(self) -> N:
        """The target network."""
        return self._target

    @property
    def optimizer(self) -> O:
        """The optimizer and its state."""
        return self._optimizer

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

    def switch_network(
        self,
        network: Any,
        optimizer_state: Mapping[str, Any] | None = None,
        settings: AgentSettings | None = None,
    ) -> None:
        """Continues with another online network: target := its copy.

        With ``normalize_observations``, the network gets a copy of the agent's statistics, and the agent continues with
        it; if the agent has seen no observation yet, it continues with those that the network has.

        Args:
            network: of this backend.
            optimizer_state: what the optimizer continues from, as its ``get_state`` returns it; None resets it.
            settings: the agent's with another optimizer or learning rate; None leaves both as they are.

        Raises:
            TypeError: no network of this backend.
            KeyError, TypeError, ValueError: the network has other inputs or outputs than the environment, or the
                optimizer's state is not valid, or not of the network's shape, or other settings differ. Nothing has
                changed.
            RuntimeError: another thread runs this agent.
        """
        settings = self._trained_with(settings or self.settings)
        self._check_network(network)
        target = network.copy()
        optimizer = self._new_optimizer(settings.optimizer_settings(), network, optimizer_state)
        before = network.normalizer
        if self.settings.normalize_observations:  # a copy: the network in use so far keeps what it has
            network.normalizer = target.normalizer = self._statistics(network).copy()
        try:
            self._use(network, target, optimizer, None)
        except BaseException:
            network.normalizer = before
            raise
        self._network: N = network
        self._target: N = target
        self._optimizer = optimizer
        self._settings = settings
        self._stand_in = None

    def switch_optimizer(self, settings: AgentSettings) -> None:
        """Continues with another optimizer or learning rate; network and target stay.

        An optimizer of the same kind keeps its state, such as Adam's moments; another begins with none.

        Args:
            settings: the agent's, with another `optimizer` or `learning_rate`.

        Raises:
            ValueError: other settings differ, too.
            RuntimeError: another thread runs this agent.
        """
        settings = self._trained_with(settings)
        state = self.optimizer.get_state() if settings.optimizer == self.settings.optimizer else None
        optimizer = self._new_optimizer(settings.optimizer_settings(), self.network, state)
        self._use(self.network, self.target, optimizer, self._stand_in)
        self._optimizer, self._settings = optimizer, settings

    def _trained_with(self, settings: AgentSettings) -> AgentSettings:
        """Refuses settings that differ in more than how the network is trained."""
        own = self.settings
        if replace(settings, optimizer=own.optimizer, learning_rate=own.learning_rate) != own:
            raise ValueError("settings must be the agent's, but for optimizer and learning_rate; make another agent")
        return settings

    @property
    def stand_in(self) -> N | None:
        """The network that acts in training in the place of the agent's own; None: its own acts."""
        return self._stand_in

    def act_with(self, network: N | None) -> None:
        """Takes the greedy actions of training from a copy of another network, which does not learn, from now on.

        The agent's own network learns from what the other one meets, and is the one that is asked and played elsewhere.
        `switch_network` ends it.

        Args:
            network: of this backend; None: the agent's own acts again.

        Raises:
            TypeError, ValueError: no network of this backend, or one with other inputs or outputs.
            RuntimeError: another thread runs this agent.
        """
        stand_in = None
        if network is not None:
            self._check_network(network)
            stand_in = network.copy()
            if self.settings.normalize_observations:
                stand_in.normalizer = self.network.normalizer
        self._use(self.network, self.target, self.optimizer, stand_in)
        self._stand_in = stand_in

    def _check_network(self, network: Any) -> None:
        """Refuses what is no network of this backend between the environment's observations and actions."""
        expected = self.environment.observation_size, self.environment.n_actions
        hint = f"make a QNetwork(architecture, {expected[0]}, {expected[1]})"
        check_instance("network", network, self.network_type, hint)
        found = network.observation_size, network.n_actions
        if found != expected:
            raise ValueError(
                f"network must map {expected[0]} numbers to {expected[1]} Q-values, as the environment asks; "
                f"got {found[0]} to {found[1]}; {hint}"
            )

    def _new_optimizer(self, settings: OptimizerSettings, network: N, state: Mapping[str, Any] | None) -> O:
        """An optimizer for a network, which continues from a state if one is given."""
        optimizer: O = self.optimizer_type(**vars(settings))
        if state is not None:
            count = network.architecture.parameter_count(network.observation_size, network.n_actions)
            for moment in (state["m"], state["v"]):
                if len(moment) not in (0, count):
                    raise ValueError(f"the optimizer's state is not that of {network.architecture}")
            optimizer.set_state(state)
        return optimizer

    def _statistics(self, network: N) -> BaseNormalizer:
        """What a new network's observations are to be normalized by."""
        in_use = self._network.normalizer if hasattr(self, "_network") else None
        for normalizer in (in_use, network.normalizer):
            if normalizer is not None and normalizer.has_seen:
                return normalizer
        return cast(BaseNormalizer, network.normalizer_type(network.observation_size))

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
            **({} if self._stand_in is None else {"stand_in": self._stand_in_state(self._stand_in)}),
        }

    def _stand_in_state(self, network: N) -> dict[str, Any]:
        normalizer = network.normalizer
        return self._network_state(network) | {"normalizer": None if normalizer is None else normalizer.get_state()}

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
            self.act_with(self._saved_network(stand_in, stand_in["normalizer"]))
        self._set_state_beside_networks(state)

    def _saved_network(self, state: Mapping[str, Any], normalizer: Mapping[str, Any] | None) -> N:
        """The network of a state's ``architecture`` and ``network``."""
        architecture = Architecture.parse(state["architecture"])
        sizes = self.environment.observation_size, self.environment.n_actions
        # Before the network is made: a few characters could ask for more memory than there is.
        if len(state["network"]) != architecture.parameter_count(*sizes):
            raise ValueError(f"the state's {len(state['network'])} parameters are not those of {architecture}")
        network = self._new_network(architecture, None)
        network.restore(check_all_finite("network", state["network"]), normalizer, state.get("base", ()))
        return network

    def _network_state(self, network: N) -> dict[str, Any]:
        """What `_saved_network` reads, but for the normalizer."""
        base = network.base_state()
        return {
            "architecture": str(network.architecture),
            "network": check_all_finite("network", network.parameters),
            **({"base": base} if base else {}),
        }

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

    def _new_network(self, architecture: str | Architecture, rng: np.random.Generator | None) -> N:
        sizes = self.environment.observation_size, self.environment.n_actions
        return cast(N, self.network_type(architecture, *sizes, rng, self.settings.initial_weights()))

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

    def _use(self, network: N, target: N, optimizer: O, stand_in: N | None) -> None:
        """Tells the loop of what it trains and acts with; refuses while another thread runs it."""

    @abstractmethod
    def _counters(self) -> tuple[int, int, int]:
        """Environment steps, updates, ended episodes."""

    @abstractmethod
    def _loop_state(self) -> dict[str, Any]:
        """Lanes, counters and unreported episodes, in the form of `LoopCore.get_state`."""

    @abstractmethod
    def _set_loop_state(self, state: dict[str, Any]) -> None:
        """Restores a state returned by `_loop_state`."""
