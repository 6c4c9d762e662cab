"""What the rest of the package may use of a backend; mypy proves that both have it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.initial_weights import PAPER, InitialWeights
from nasdqn_fast.engine.supernet_plan import SupernetPlan
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Batch, Choice, Episodes, PrioritizedBatch


class Replay(Protocol):
    """A replay memory."""

    @property
    def capacity(self) -> int: ...
    @property
    def observation_size(self) -> int: ...
    def __len__(self) -> int: ...
    def add_batch(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        rewards: np.ndarray,
        next_observations: np.ndarray,
        terminated: np.ndarray,
        truncated: np.ndarray,
        *,
        follows: int = 0,
    ) -> None: ...
    def sample(self, n: int, out: Batch | None = None) -> Batch: ...
    def prioritize(self) -> None: ...
    @property
    def priorities(self) -> np.ndarray: ...
    def set_priorities(self, slots: np.ndarray, priorities: np.ndarray) -> None: ...
    def sample_prioritized(
        self, n: int, beta: float = 0.4, out: PrioritizedBatch | None = None
    ) -> PrioritizedBatch: ...
    def sample_n_step(self, n: int, n_step: int, gamma: float) -> tuple[Batch, np.ndarray]: ...
    def n_step_returns(self, slots: np.ndarray, n_step: int, gamma: float) -> tuple[Batch, np.ndarray]: ...
    def prune(
        self, keep: float = 0.25, which: str = "newest", rng: int | np.random.Generator | None = None
    ) -> None: ...
    def transitions(self, ages: np.ndarray | None = None) -> Batch: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: dict[str, Any]) -> None: ...


class Optimizer(Protocol):
    """A rule for the step down a gradient, and what it remembers."""

    @property
    def steps(self) -> int: ...
    def reset(self) -> None: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: Mapping[str, Any]) -> None: ...


class Agent(Protocol):
    """An agent that learns by playing."""

    @property
    def settings(self) -> AgentSettings: ...
    @property
    def streams(self) -> Streams: ...
    @property
    def network(self) -> BaseNetwork: ...
    @property
    def target(self) -> BaseNetwork: ...
    @property
    def optimizer(self) -> Optimizer: ...
    @property
    def replay(self) -> Replay: ...
    @property
    def steps(self) -> int: ...
    @property
    def updates(self) -> int: ...
    @property
    def episodes(self) -> int: ...
    @property
    def unreported(self) -> int: ...
    @property
    def finished(self) -> bool: ...
    @property
    def epsilon(self) -> float: ...
    @property
    def whole(self) -> bool: ...
    def warning_of_no_update(self) -> str: ...
    def run_episodes(self, n: int, stop: StopToken | None = None) -> Episodes: ...
    def play_episodes(
        self,
        n: int,
        epsilon: float = 0.0,
        rng: int | np.random.Generator | None = None,
        stop: StopToken | None = None,
    ) -> Episodes: ...
    def learn(self) -> float: ...
    def act(self, observations: np.ndarray, epsilon: float = 0.0) -> int | np.ndarray: ...
    def beside(self, network: Any, **keywords: Any) -> Any: ...
    def switch_network(
        self,
        network: Any,
        optimizer_state: Mapping[str, Any] | None = None,
        settings: AgentSettings | None = None,
    ) -> None: ...
    def switch_optimizer(self, settings: AgentSettings) -> None: ...
    @property
    def stand_in(self) -> BaseNetwork | None: ...
    def act_with(self, network: Any) -> None: ...
    def network_state(self, network: Any) -> dict[str, Any]: ...
    def network_of_state(self, state: Mapping[str, Any]) -> Any: ...
    def get_state(self) -> dict[str, Any]: ...
    def set_state(self, state: dict[str, Any]) -> None: ...


class Member(NamedTuple):
    """A network of a population, and what it learns with."""

    candidate: Architecture  # a Setup if it says how the network is trained
    network: Any
    target: Any  # a copy of the network from when it was last chosen
    optimizer: Any


class Population(Agent, Protocol):
    """Several networks that learn from one memory towards one target."""

    @property
    def members(self) -> tuple[Member, ...]: ...
    @property
    def chosen(self) -> int: ...
    @property
    def losses(self) -> np.ndarray: ...
    @property
    def actors(self) -> np.ndarray: ...
    @property
    def choice_waits(self) -> bool: ...
    def take_choice(self) -> Choice | None: ...
    def replace(self, k: int, candidate: Architecture | str, network: Any) -> None: ...


class Ensemble(Population, Protocol):
    """Several networks that learn from one memory towards targets of their own, of which one acts."""

    @property
    def retired(self) -> np.ndarray: ...
    def act_by(self, k: int) -> None: ...
    def retire(self, k: int) -> None: ...


class Supernet(Agent, Protocol):
    """One network that contains every architecture of a space."""

    @property
    def plan(self) -> SupernetPlan: ...
    @property
    def shared(self) -> BaseNetwork: ...
    @property
    def odds(self) -> np.ndarray: ...
    @odds.setter
    def odds(self, values: np.ndarray) -> None: ...
    def path(self, architecture: str | Architecture) -> BaseNetwork: ...


class NetworkClass(Protocol):
    """The class of a backend's networks."""

    def __call__(
        self,
        architecture: str | Architecture,
        observation_size: int,
        n_actions: int,
        rng: int | np.random.Generator | None = 0,
        initial: InitialWeights = PAPER,
    ) -> BaseNetwork: ...
    def load(self, path: str | os.PathLike[str], **options: Any) -> BaseNetwork: ...


class ReplayClass(Protocol):
    """The class of a backend's replay memories."""

    def __call__(self, capacity: int, observation_size: int, rng: int | np.random.Generator = 0) -> Replay: ...


class OptimizerClass(Protocol):
    """The class of a backend's optimizers."""

    def __call__(
        self,
        kind: str = "sgd",
        learning_rate: float | None = None,
        clip: float = 1.0,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        clip_by: str = "element",
    ) -> Optimizer: ...


class AgentClass(Protocol):
    """The class of a backend's agents."""

    def __call__(
        self,
        env: Any,
        network: Any,
        *,
        rng: int | np.random.Generator | Streams = 0,
        replay: Any = None,
        **settings: Any,
    ) -> Agent: ...


Several = TypeVar("Several", covariant=True)  # Population or Ensemble


class PopulationClass(Protocol[Several]):
    """The class of a backend's populations, or of its ensembles."""

    def __call__(
        self,
        env: Any,
        networks: Any,
        *,
        rng: int | np.random.Generator | Streams = 0,
        replay: Any = None,
        **settings: Any,
    ) -> Several: ...


class SupernetClass(Protocol):
    """The class of a backend's supernets."""

    def __call__(
        self,
        env: Any,
        plan: Any,
        *,
        rng: int | np.random.Generator | Streams = 0,
        replay: Any = None,
        **settings: Any,
    ) -> Supernet: ...


class Engine(Protocol):
    """A backend: a module with these seven classes."""

    @property
    def QNetwork(self) -> NetworkClass: ...
    @property
    def ReplayBuffer(self) -> ReplayClass: ...
    @property
    def Optimizer(self) -> OptimizerClass: ...
    @property
    def DQNAgent(self) -> AgentClass: ...
    @property
    def DQNEnsemble(self) -> PopulationClass[Ensemble]: ...
    @property
    def DQNPopulation(self) -> PopulationClass[Population]: ...
    @property
    def DQNSupernet(self) -> SupernetClass: ...
