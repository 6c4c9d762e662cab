"""What a native population of networks and its NumPy twin have in common: everything but the loop."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.base_agent import BaseAgent, N, O, R
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.optimizer_settings import OptimizerSettings
from nasdqn_fast.engine.protocol import Member
from nasdqn_fast.space import Architecture, parse_setup
from nasdqn_fast.types import Choice, Episodes
from nasdqn_fast.validation import check_all_finite, check_array, check_bool, check_int


class BasePopulation(BaseAgent[N, R, O], Generic[N, R, O]):
    """K networks that learn from one memory towards one target: AdaDQN (Vincent et al. 2025, arXiv:2405.16195).

    Whenever the target moves it becomes a copy of the network whose losses since the last move are least. Every
    greedy action is that of a network drawn with probability proportional to 1 / (loss + 1e-6). All networks learn
    from the same minibatches, so that an update of the population is one of each. ``network``, ``target`` and
    ``optimizer`` are those of the network chosen last. A population of one is the plain agent.

    Args:
        env: as for ``DQNAgent``.
        networks: an architecture, a `Setup` of one or a network, or a sequence of these. The first is the target at
            first.
        **keywords: as for ``DQNAgent``.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range; with several networks, a target that
            follows by parts, for networks of different layers have no mean.
    """

    _own_targets = False  # all share one

    def __init__(self, env: Any, networks: Any, **keywords: Any) -> None:
        several = isinstance(networks, Sequence) and not isinstance(networks, str)
        given = list(networks) if several else [networks]
        if not given:
            raise ValueError("a population needs at least one network; give an architecture, as 3x64-relu")
        self._learners = len(given)
        self._members: list[Member] = []
        self._candidate = _candidate(given[0])
        self._actors = np.zeros(0, np.int64)
        super().__init__(env, _made_with(given[0]), **keywords)
        if self._learners > 1 and not self._own_targets and self.settings.target_tau != 1.0:
            raise ValueError(
                f"target_tau must be 1 where several networks share a target; got {self.settings.target_tau}"
            )
        for one in given[1:]:
            network = _made_with(one)
            if not isinstance(network, self.network_type):
                network = self._new_network(network, self.streams.init)
            self._add(len(self._members), _candidate(one), network)

    @property
    def members(self) -> tuple[Member, ...]:
        """The networks, in their order."""
        return tuple(self._members)

    @property
    @abstractmethod
    def chosen(self) -> int:
        """Number of the network, from 0, that was chosen last; at first the first."""

    @property
    @abstractmethod
    def losses(self) -> np.ndarray:
        """Sums of each network's losses since the last choice, float64 (K,)."""

    @property
    def actors(self) -> np.ndarray:
        """Of the episodes that `run_episodes` returned last: the number of the network that acted most often, int64.

        In an episode without a greedy action it is the one chosen last.
        """
        return self._actors

    def run_episodes(self, n: int, stop: StopToken | None = None) -> Episodes:
        """As ``DQNAgent.run_episodes``, but it returns fewer where a choice waits to be noticed: see `take_choice`."""
        try:
            return super().run_episodes(n, stop)  # type: ignore[safe-super]
        finally:
            self._follow_choice()

    def learn(self) -> float:
        """One update of each network from the replay memory, and a move of the target when one is due by updates.

        Returns:
            mean over the networks of the losses of the minibatch, before the update.

        Raises:
            ValueError: the memory is empty.
            NonFiniteError: a loss is not finite; networks before the one it is of have been updated.
        """
        try:
            return float(super().learn())  # type: ignore[misc]
        finally:
            self._follow_choice()

    @property
    @abstractmethod
    def choice_waits(self) -> bool:
        """Whether a choice of the target waits for `take_choice`."""

    def take_choice(self) -> Choice | None:
        """The choice that was made last, if it has not been taken yet; episodes are played on when it has.

        So nothing happens between a choice and what follows from it, a `replace` of the other networks, say.
        """
        if not self.choice_waits:
            return None
        choice = Choice(self.updates, self.chosen, self._last_losses())
        self._take_notice()
        return choice

    def replace(self, k: int, candidate: Architecture | str, network: Any) -> None:
        """Puts another network in the place of the k-th; its optimizer starts anew, and its loss at zero.

        Args:
            k: number from 0.
            candidate: its architecture, or a `Setup` if that says how it is trained.
            network: of this backend and the candidate's architecture.

        Raises:
            TypeError, ValueError: no such number, the network last chosen where there are others, or a network that
                does not fit.
            RuntimeError: another thread runs this agent.
        """
        k = check_int("k", k, 0, self._learners - 1)
        if self._learners > 1 and k == self.chosen:
            raise ValueError(f"network {k} is the one whose copy the target is; replace another")
        self._add(k, parse_setup(candidate), network)

    def switch_network(
        self,
        network: Any,
        optimizer_state: Mapping[str, Any] | None = None,
        settings: AgentSettings | None = None,
    ) -> None:
        """Puts another network in the place of the one last chosen, and makes the target its copy.

        Raises:
            ValueError: settings are given: how a network is trained is its candidate's matter.
        """
        if settings is not None:
            self.switch_optimizer(settings)
        if self._members:
            self._add(self.chosen, _candidate(network), network, optimizer_state)
        else:
            self._add(0, self._candidate, network, optimizer_state)
        self._follow_choice()

    def switch_optimizer(self, settings: AgentSettings) -> None:
        """Refuses: how a network of a population is trained is its candidate's matter.

        Raises:
            ValueError: always.
        """
        raise ValueError("each network of a population is trained as its candidate says; replace the network")

    def act_with(self, network: N | None) -> None:
        """Refuses: a population draws which of its networks acts."""
        raise ValueError("a population draws which of its networks acts; no other one can act for it")

    def get_state(self) -> dict[str, Any]:
        """As ``DQNAgent.get_state``, of the network chosen last, and all others besides."""
        members = [
            {
                "candidate": member.candidate.get_state(),
                **self._network_state(member.network),
                "optimizer": member.optimizer.get_state(),
            }
            for member in self._members
        ]
        return super().get_state() | {"population": {"members": members} | self._population_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a state returned by `get_state` of as many networks.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or one of other settings.
        """
        none = np.zeros(self._learners, np.uint8)  # states lack it that are older than ensembles
        population, normalizer = {"retired": none} | state["population"], state.get("normalizer")
        saved, k = population["members"], self._learners
        if len(saved) != k:
            raise ValueError(f"the state is of {len(saved)} networks, this population has {k}")
        chosen = check_int("chosen", population["chosen"], 0, k - 1)
        check_bool("has_chosen", population["has_chosen"])
        check_int("n_losses", population["n_losses"], 0)
        for name in ("losses", "last_losses"):
            check_all_finite(name, check_array(name, population[name], (k,), np.float64))
        check_array("acted", population["acted"], (self.settings.num_envs, k), np.int64)
        actors = state["loop"].get("ended_actor", np.zeros(0, np.int64))
        if not np.isin(actors, range(k)).all():
            raise ValueError(f"ended_actor must be from 0 to {k - 1}")
        for i, (member, candidate) in enumerate(zip(saved, self.networks_of(state), strict=True)):
            network = self._saved_network(member, normalizer)
            self._add(i, candidate, network, member["optimizer"])
        if self.settings.normalize_observations:
            self._members[0].network.normalizer.set_state(normalizer)  # that of all
        self._members[chosen].target.parameters = check_all_finite("target", state["target"])
        self._set_state_beside_networks(state)
        self._set_population_state(population)
        self._follow_choice()

    @classmethod
    def networks_of(cls, state: Mapping[str, Any]) -> Any:
        candidates = [dict(member["candidate"]) for member in state["population"]["members"]]
        return [Architecture.parse(given.pop("architecture")).trained(**given) for given in candidates]

    def _add(
        self, k: int, candidate: Architecture, network: Any, optimizer_state: Mapping[str, Any] | None = None
    ) -> None:
        """Makes a network the k-th, in the place of another or as the next."""
        self._check_network(network)
        if network.architecture != (layers := candidate.trained()):
            raise ValueError(f"network must be {layers}, as the candidate; got {network.architecture}")
        target = network.copy()
        optimizer = self._new_optimizer(self._trained_as(candidate), network, optimizer_state)
        before = network.normalizer
        if self.settings.normalize_observations:  # one for all
            others = [member.network.normalizer for member in self._members]
            network.normalizer = target.normalizer = others[0] if others else self._statistics(network).copy()
        try:
            self._use_member(k, network, target, optimizer)
        except BaseException:
            network.normalizer = before
            raise
        self._members[k : k + 1] = [Member(candidate, network, target, optimizer)]
        self._forget(k)

    def _trained_as(self, candidate: Architecture) -> OptimizerSettings:
        return replace(self.settings, **dict(candidate.training)).optimizer_settings()

    def _follow_choice(self) -> None:
        """Makes ``network``, ``target`` and ``optimizer`` those of the network chosen last."""
        _, self._network, self._target, self._optimizer = self._members[self.chosen]

    @abstractmethod
    def _use_member(self, k: int, network: N, target: N, optimizer: O) -> None:
        """Tells the loop of its k-th network; refuses while another thread runs it."""

    @abstractmethod
    def _forget(self, k: int) -> None:
        """Begins the loss of the k-th network, and the counts of its actions, at zero."""

    @abstractmethod
    def _last_losses(self) -> np.ndarray:
        """Mean losses by which the target was chosen."""

    @abstractmethod
    def _take_notice(self) -> None:
        """Lets the loop continue after a choice."""

    @abstractmethod
    def _population_state(self) -> dict[str, Any]:
        """``chosen``, ``has_chosen``, ``n_losses``, ``losses``, ``last_losses`` and ``acted``, as in the C struct."""

    @abstractmethod
    def _set_population_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `_population_state`."""


def _candidate(given: Any) -> Architecture:
    return given.architecture if isinstance(given, BaseNetwork) else parse_setup(given)


def _made_with(given: Any) -> Any:
    """What BaseAgent takes for a network."""
    return given if isinstance(given, BaseNetwork) else parse_setup(given).trained()
