"""Switches of the architecture, from 3x64-relu to 4x128-relu over 50,000 transitions: each part, and all together."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.benchmarking.case import Case, repeated
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import N_ACTIONS, OBSERVATION_SIZE, learning_agent, transitions
from nasdqn_fast.controllers import base as controllers
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.extras import MissingExtra
from nasdqn_fast.search.greedy import GreedyEpisodes
from nasdqn_fast.search.learning import LearningAside
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import Cost, Result

OLD, NEW = Architecture.parse("3x64-relu"), Architecture.parse("4x128-relu")
CAPACITY = 50_000  # transitions
SEGMENT = 40_000  # transitions, 200 episodes: after a pruning they fill the memory and write over some that were kept
KEEP = 0.25
CONSULTATIONS = 10
RETURNS = np.linspace(-100.0, 200.0, 200)  # of a segment
COST = Cost(steps=40_000, updates=40_000, parameters=NEW.parameter_count(OBSERVATION_SIZE, N_ACTIONS), flop=10**12)


def consult(name: str) -> Case:
    """One `ask` and one `tell` of the ten that the paper's run has: some controllers remember all they were told.

    Raises:
        MissingExtra: the controller needs a package that is not installed.
    """
    consultation = _Consultation(name)
    run, prepare = repeated(consultation.consult), consultation.restore
    return Case(f"ask and tell, {name}", Unit.MICROSECONDS, run, calls=CONSULTATIONS, prepare=prepare)


def transfer(name: str) -> Case:
    """The new network, how far Q moved, and the agent's change to it."""
    switch = _Switch(name)
    return Case(f"transfer, {name}", Unit.MICROSECONDS, repeated(switch.transfer), calls=1, prepare=switch.restore)


def prune() -> Case:
    """Pruning to a quarter."""
    switch = _Switch("fresh")
    return Case("prune to a quarter", Unit.MICROSECONDS, repeated(switch.prune), calls=1, prepare=switch.restore)


def whole(controller: str, transfer: str) -> Case:
    """All that a search does between two segments."""
    consultation, switch = _Consultation(controller), _Switch(transfer)

    def all_together() -> None:
        consultation.consult()
        switch.transfer()
        switch.prune()

    name = f"whole switch, {controller} with {transfer}"
    return Case(name, Unit.MICROSECONDS, repeated(all_together), calls=1, prepare=switch.restore)


def figures(session: Session) -> list[Figure]:
    cases = [
        *_consultable(),
        *map(transfer, plugins.names("transfers")),
        prune(),
        whole("nas-dqn", "matching"),
    ]
    return session.measure("switch", cases)


def _consultable() -> Iterator[Case]:
    for name in plugins.names("controllers"):
        with contextlib.suppress(MissingExtra):
            yield consult(name)


class _Consultation:
    """A controller, which begins anew before each repeat."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._options = {"architecture": OLD} if name == "fixed" else {}
        self.restore()

    def restore(self) -> None:
        self._controller = controllers.make(self._name, SearchSpace.paper(), np.random.default_rng(0), self._options)

    def consult(self) -> None:
        proposal = self._controller.ask()
        self._controller.tell(Result(proposal, proposal.architecture, float(RETURNS.mean()), RETURNS, COST))


class _Switch:
    """An agent before a switch, brought back there before each repeat."""

    def __init__(self, transfer: str) -> None:
        self._transfer = transfers.make(transfer)
        self._agent = learning_agent(OLD, CAPACITY)
        self._old: QNetwork = self._agent.network
        self._transitions = transitions(SEGMENT)
        self._rng = np.random.default_rng(0)

    def restore(self) -> None:
        self._agent.replay.add_batch(*self._transitions)
        self._agent.switch_network(self._old)

    def transfer(self) -> None:
        agent = self._agent
        switch = transfers.Switch(
            old=agent.network,
            architecture=NEW,
            rng=self._rng,
            replay=agent.replay,
            target=agent.target,
            optimizer=agent.optimizer.get_state(),
            settings=agent.settings,
            play=GreedyEpisodes(agent, np.random.default_rng).play,
            learn=LearningAside(agent, np.random.default_rng(0)).learn,
        )
        carried, _ = transfers.apply(self._transfer, switch)
        agent.switch_network(carried.network, carried.optimizer)

    def prune(self) -> None:
        self._agent.replay.prune(KEEP, "newest", self._rng)
