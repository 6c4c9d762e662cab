"""What a native supernet agent and its NumPy twin have in common: everything but the update."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Generic

import numpy as np

from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.base_agent import BaseAgent, N, O, R
from nasdqn_fast.engine.optimizer_settings import OptimizerSettings
from nasdqn_fast.engine.supernet_plan import SupernetPlan
from nasdqn_fast.space import Architecture
from nasdqn_fast.validation import check_all_finite, check_array


class BaseSupernet(BaseAgent[N, R, O], Generic[N, R, O]):
    """An agent whose one network contains every architecture of a space as a leading block, and trains them together.

    ``network`` is the largest path: it acts, and its copy is the target of all. An update draws paths, each of which
    learns from the same minibatch, and takes one step on the sum of their gradients; see `SupernetPlan`. With one
    architecture it is the plain agent.

    Args:
        env: as for ``DQNAgent``.
        plan: a `SupernetPlan`, or a space, or a sequence of architectures.
        **keywords: as for ``DQNAgent``.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
    """

    _shared: N

    def __init__(self, env: Any, plan: Any, **keywords: Any) -> None:
        self._plan = plan if isinstance(plan, SupernetPlan) else SupernetPlan(plan)
        self._odds = np.ones(len(self._plan.space))
        super().__init__(env, self._plan.space[self._plan.largest], **keywords)

    @property
    def plan(self) -> SupernetPlan:
        """What it contains, and how it is trained."""
        return self._plan

    @property
    def shared(self) -> N:
        """The shared layers; the last one has the heads of all depths side by side."""
        return self._shared

    @property
    def odds(self) -> np.ndarray:
        """What each path's probability to be drawn is proportional to, float64, one an architecture; ones at first.

        Raises:
            TypeError, ValueError: set to anything but numbers >= 0, one above.
        """
        return self._odds.copy()

    @odds.setter
    def odds(self, values: np.ndarray) -> None:
        values = check_all_finite("odds", check_array("odds", values, self._odds.shape, np.float64))
        if (values < 0).any() or not values.any():
            raise ValueError("odds must be numbers >= 0, one of them above")
        self._use_odds(values)
        self._odds = values.copy()

    def path(self, architecture: str | Architecture) -> N:
        """A network of its own with the weights that a path has now.

        Raises:
            ValueError: the architecture is none of the space.
        """
        architecture = Architecture.parse(architecture)
        if architecture not in self._plan.space:
            raise ValueError(f"{architecture} is not in the supernet; its largest is {self.network.architecture}")
        network: N = self.network.like(architecture, None)
        self._read(network)
        return network

    def switch_network(
        self,
        network: N,
        optimizer_state: Mapping[str, Any] | None = None,
        settings: AgentSettings | None = None,
    ) -> None:
        """Gives the largest path the weights of a network; what it does not contain of the shared layers stays.

        Raises:
            TypeError, ValueError: as ``DQNAgent.switch_network``, or a network of another architecture, or a sum.
        """
        self._check_network(network)
        if network.base:
            raise ValueError("network must be a single one, not a sum, which no path of a supernet is; give alone()")
        largest = self._plan.space[self._plan.largest]
        if network.architecture != largest:
            raise ValueError(f"network must be {largest}, the supernet's largest path; got {network.architecture}")
        before = getattr(self, "_shared", None)
        self._shared = self._new_shared(network) if before is None else before.copy()
        for own, shared, factor in self._plan.parts(network, largest, self._shared):
            shared[...] = own / own.dtype.type(factor)
        try:
            super().switch_network(network, optimizer_state, settings)
        except BaseException:
            if before is not None:
                self._shared = before
            raise

    def get_state(self) -> dict[str, Any]:
        """As ``DQNAgent.get_state``, of the largest path, and the shared layers besides."""
        shared = check_all_finite("shared", self._shared.parameters)
        supernet = {"plan": self._plan.get_state(), "shared": shared, "odds": self.odds}
        return super().get_state() | {"supernet": supernet}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a state returned by `get_state` of an agent of the same plan.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or one of another plan or other settings.
        """
        supernet = state["supernet"]
        if supernet["plan"] != self._plan.get_state():
            raise ValueError(f"the state is of the supernet {supernet['plan']}, this one is {self._plan.get_state()}")
        super().set_state(state)
        self._shared.parameters = check_all_finite("shared", supernet["shared"])
        self._read_largest()
        self.odds = supernet["odds"]

    @classmethod
    def networks_of(cls, state: Mapping[str, Any]) -> Any:
        return SupernetPlan(**state["supernet"]["plan"])

    def _read(self, network: N) -> None:
        """Reads a path's weights from the shared layers into a network of its architecture."""
        for own, shared, factor in self._plan.parts(network, network.architecture, self._shared):
            own[...] = own.dtype.type(factor) * shared

    def _new_shared(self, network: N) -> N:
        """The shared layers: if the network is not all of them, they are drawn, and it is put into them."""
        plan = self._plan
        is_all = plan.whole == network.architecture and len(plan.depths) == 1
        outputs = network.n_actions * len(plan.depths)
        return self._network_of(plan.whole, network.observation_size, outputs, None if is_all else self.streams.init)

    def _new_optimizer(self, settings: OptimizerSettings, network: N, state: Mapping[str, Any] | None) -> O:
        """That of the shared layers."""
        return super()._new_optimizer(settings, self._shared, state)

    @abstractmethod
    def _network_of(
        self, architecture: Architecture, observation_size: int, n_actions: int, rng: np.random.Generator | None
    ) -> N:
        """A network of this backend, by the settings of this agent."""

    @abstractmethod
    def _read_largest(self) -> None:
        """Reads the largest path from the shared layers into ``network``."""

    @abstractmethod
    def _use_odds(self, odds: np.ndarray) -> None:
        """Draws by these from now on; refuses while another thread runs this agent."""
