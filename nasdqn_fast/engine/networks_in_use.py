"""The networks of an agent: what it trains, towards what, by which optimizer, and what acts meanwhile."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar, cast

import numpy as np

from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.base_normalizer import BaseNormalizer
from nasdqn_fast.engine.optimizer_settings import OptimizerSettings
from nasdqn_fast.engine.protocol import Optimizer
from nasdqn_fast.envs import AnyEnvironment
from nasdqn_fast.space import Architecture
from nasdqn_fast.validation import check_all_finite, check_instance

N = TypeVar("N", bound=BaseNetwork)
O = TypeVar("O", bound=Optimizer)  # noqa: E741


class NetworksInUse(ABC, Generic[N, O]):
    """The part of an agent that changes its networks, and saves them."""

    # Set by a backend, as the classes that are its type arguments.
    network_type: Any
    optimizer_type: Any

    _environment: AnyEnvironment
    _settings: AgentSettings
    _stand_in: N | None = None

    # Read-only, because the compiled loop keeps addresses and copies.
    @property
    def environment(self) -> AnyEnvironment:
        """What is played."""
        return self._environment

    @property
    def settings(self) -> AgentSettings:
        """What it was made with; optimizer and learning rate are as they were switched to last."""
        return self._settings

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

    def network_state(self, network: N) -> dict[str, Any]:
        """Plain values and arrays of a network that this agent could continue with.

        Raises:
            ValueError: a weight is not finite, which `network_of_state` would refuse.
        """
        normalizer = network.normalizer
        return self._network_state(network) | {"normalizer": None if normalizer is None else normalizer.get_state()}

    def network_of_state(self, state: Mapping[str, Any]) -> N:
        """The network of a state that `network_state` returned.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or one for another environment.
        """
        return self._saved_network(state, state["normalizer"])

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

    def _new_network(self, architecture: str | Architecture, rng: np.random.Generator | None) -> N:
        sizes = self.environment.observation_size, self.environment.n_actions
        return cast(N, self.network_type(architecture, *sizes, rng, self.settings.initial_weights()))

    def _use(self, network: N, target: N, optimizer: O, stand_in: N | None) -> None:
        """Tells the loop of what it trains and acts with; refuses while another thread runs it."""
