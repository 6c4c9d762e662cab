"""What a native ensemble of networks and its NumPy twin have in common: targets of their own, and who acts."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from nasdqn_fast.engine.base_agent import N, O, R
from nasdqn_fast.engine.base_population import BasePopulation
from nasdqn_fast.validation import check_all_finite, check_array, check_int


class BaseEnsemble(BasePopulation[N, R, O]):
    """K networks that learn from one memory, each as a DQN agent of its own would, from the same minibatches.

    One of them acts, until another is made to. ``network``, ``target`` and ``optimizer`` are its own. A network that
    is retired learns no more. An ensemble of one is the plain agent.

    Args:
        env: as for ``DQNAgent``.
        networks: an architecture, a `Setup` of one or a network, or a sequence of these. The first acts at first.
        **keywords: as for ``DQNAgent``.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
    """

    _own_targets = True

    def act_by(self, k: int) -> None:
        """Makes the k-th network act from the next action on.

        Raises:
            TypeError, ValueError: no such number, or that of a network that is retired.
            RuntimeError: another thread runs this agent.
        """
        self._act_by(self._check_active(k))
        self._follow_choice()

    def retire(self, k: int) -> None:
        """Ends the learning of the k-th network.

        Raises:
            TypeError, ValueError: no such number, or that of the network that acts, or of one retired already.
            RuntimeError: another thread runs this agent.
        """
        if self._check_active(k) == self.chosen:
            raise ValueError(f"network {k} acts; make another act before it is retired")
        self._retire(k)

    @property
    @abstractmethod
    def retired(self) -> np.ndarray:
        """Whether each network has been retired, bool (K,)."""

    def get_state(self) -> dict[str, Any]:
        """As ``DQNAgent.get_state``, of the network that acts, and all others besides."""
        state = super().get_state()
        state["population"]["targets"] = [member.target.parameters for member in self._members]
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a state returned by `get_state` of as many networks.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or one of other settings.
        """
        population = state["population"]
        targets, retired = population["targets"], population["retired"]
        if len(targets) != self._learners:
            raise ValueError(f"the state has {len(targets)} targets, this ensemble {self._learners} networks")
        check_array("retired", retired, (self._learners,), np.uint8)
        if retired[check_int("chosen", population["chosen"], 0, self._learners - 1)]:
            raise ValueError("the network that acts is retired in this state")
        for target in targets:
            check_all_finite("target", target)
        super().set_state(state)
        for member, target in zip(self._members, targets, strict=True):
            member.target.parameters = target

    def _check_active(self, k: int) -> int:
        if self.retired[check_int("k", k, 0, self._learners - 1)]:
            raise ValueError(f"network {k} is retired")
        return k

    @abstractmethod
    def _act_by(self, k: int) -> None:
        """Tells the loop who acts."""

    @abstractmethod
    def _retire(self, k: int) -> None:
        """Tells the loop that a network learns no more."""
