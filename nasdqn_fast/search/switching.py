"""How an agent goes over to another architecture, or to another way to train the one it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.protocol import Agent
from nasdqn_fast.errors import InputError, message
from nasdqn_fast.search.greedy import GreedyEpisodes
from nasdqn_fast.search.incumbent import Incumbent
from nasdqn_fast.search.learning import LearningAside
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import TransferReport


class Switching:
    """The switches of one agent.

    Args:
        agent: the agent; what a controller leaves open of its training is as its settings are now.
        rng: the transfers' stream.
        check: as the trainer's; None: any architecture may be trained.
        controller: name of who chooses, for error messages.
    """

    def __init__(
        self,
        agent: Agent,
        rng: np.random.Generator,
        check: Callable[[Architecture, str], None] | None = None,
        controller: str = "",
    ) -> None:
        self._agent = agent
        self._rng = rng
        self._given = agent.settings
        self._controller = controller
        self._check = check

    def train_as(self, architecture: Architecture) -> None:
        """Trains the network in use as a setup of its architecture says."""
        self._agent.switch_optimizer(self._settings_of(architecture))

    def go_back(self, incumbent: Incumbent) -> None:
        """Continues with the network of an earlier segment, as it was at that segment's end."""
        settings = self._settings_of(incumbent.in_use)
        self._agent.switch_network(incumbent.network.copy(), incumbent.optimizer, settings)

    def transfer(
        self,
        architecture: Architecture,
        transfer: plugins.Function,
        key: tuple[int, ...],
        stop: StopToken | None = None,
    ) -> tuple[transfers.Carried, TransferReport]:
        """Goes over to the network that the transfer makes, unless it refuses; last, the agent changes.

        Args:
            architecture: the one wanted.
            transfer: makes the network.
            key: of the streams of its greedy episodes and updates: the segment, and more where this is not its switch.
            stop: stops both when it is set.

        Returns:
            what the transfer returned, and the report.
        """
        agent, old, settings, (segment, *more) = self._agent, self._agent.network, self._settings_of(architecture), key
        greedy = GreedyEpisodes(agent, lambda i: agent.streams.child("guard", segment, i, *more), stop)
        aside = LearningAside(agent, agent.streams.child("learning", *key), stop, settings)
        carried, report = transfers.apply(
            transfer,
            transfers.Switch(
                old=old,
                architecture=Architecture.parse(architecture),
                rng=self._rng,
                replay=agent.replay,
                target=agent.target,
                optimizer=agent.optimizer.get_state(),
                settings=settings,
                play=greedy.play,
                learn=aside.learn,
            ),
        )
        greedy.check()
        aside.check()
        if carried.accepted:
            if self._check is not None:
                self._check(carried.network.architecture, f"transfer {transfer.name!r}")
            try:
                agent.switch_network(carried.network, self._carried_state(carried.optimizer, settings), settings)
            except (KeyError, TypeError, ValueError) as error:
                reason = f"{type(error).__name__}: {error}"
                raise InputError(f"transfer {transfer.name!r}: no valid optimizer state: {reason}") from None
            if carried.shadow:
                agent.act_with(old)
        return carried, replace(report, steps=report.steps + greedy.steps, updates=report.updates + aside.updates)

    def _settings_of(self, architecture: Architecture) -> AgentSettings:
        """The agent's settings, with what a setup has chosen."""
        try:
            return replace(self._given, **dict(architecture.training))
        except (TypeError, ValueError) as error:
            raise InputError(f"controller {self._controller} asks for {architecture}: {message(error)}") from None

    def _carried_state(self, state: Any, settings: AgentSettings) -> Any:
        """The optimizer's state that a transfer carried; None if it is of the kind that gives way to another."""
        old = self._agent.settings.optimizer
        if settings.optimizer != old and isinstance(state, Mapping) and state.get("kind") == old:
            return None
        return state
