"""Several networks on one memory, in plain NumPy: AdaDQN, Vincent et al. 2025 (arXiv:2405.16195), and ensembles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from nasdqn_fast.engine.base_ensemble import BaseEnsemble
from nasdqn_fast.engine.base_population import BasePopulation
from nasdqn_fast.engine.protocol import Member
from nasdqn_fast.reference.agent import DQNAgent
from nasdqn_fast.reference.lane import Lane
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.reference.optimizer import Optimizer
from nasdqn_fast.reference.replay import ReplayBuffer

LEAST_LOSS = 1e-6  # added to a loss before its reciprocal is taken


class DQNPopulation(BasePopulation[QNetwork, ReplayBuffer, Optimizer], DQNAgent):
    """`BasePopulation` on NumPy, with one more argument.

    Args:
        dtype: float32 or float64, of networks and memory.
    """

    def _start(self) -> None:
        super()._start()
        self._retired = np.zeros(self._learners, bool)  # of an ensemble
        self._chosen = self._n_losses = 0
        self._losses, self._mean_losses = np.zeros(self._learners), np.zeros(self._learners)

    @property
    def chosen(self) -> int:
        return self._chosen

    @property
    def losses(self) -> np.ndarray:
        return self._losses.copy()

    def _update(self) -> float:
        """One update of each network from one minibatch; the network chosen last sets the priorities."""
        batch, discounts, drawn = self._minibatch()
        weights = np.ones(len(batch)) if drawn is None else drawn.weights.astype(np.float64)
        chosen_errors, losses = np.zeros(len(batch)), []
        for k, member in enumerate(self._members):
            if self._retired[k]:
                continue
            self._network, self._optimizer = member.network, member.optimizer
            self._target = self._target_of(member)
            loss, errors = self._learn_from(batch, discounts, drawn)
            losses.append(loss)
            if len(self._members) > 1:
                self._losses[k] += float(np.mean(weights * 0.5 * errors.astype(np.float64) ** 2))
            if k == self.chosen:
                chosen_errors = errors
        self._follow_choice()
        self._n_losses += 1
        if drawn is not None:
            self._update_priorities(drawn, chosen_errors)
        self._count_update()
        return sum(losses) / len(losses)

    def _update_target(self) -> None:
        """target <- a copy of the network of the least loss."""
        if len(self._members) > 1 and self._n_losses:
            self._chosen = int(np.argmin(self._losses))
            self._mean_losses = self._losses / self._n_losses
            self._losses, self._n_losses, self._chose = np.zeros_like(self._losses), 0, True
            self._follow_choice()
        super()._update_target()

    def _acting(self, lane: Lane) -> QNetwork:
        """A network drawn with probability proportional to 1 / (loss + 1e-6)."""
        if len(self._members) == 1:
            return self.network
        fitness = [1.0 / (loss + LEAST_LOSS) for loss in self._losses.tolist()]
        left, k = self.streams.policy.random() * sum(fitness), 0
        while k < len(fitness) - 1 and (left := left - fitness[k]) >= 0.0:
            k += 1
        lane.acted[k] += 1
        network: QNetwork = self._members[k].network
        return network

    def _target_of(self, member: Member) -> QNetwork:
        """That of the network chosen last."""
        target: QNetwork = self._members[self.chosen].target
        return target

    def _actor(self, lane: Lane) -> int:
        return max(sorted(lane.acted), key=lane.acted.__getitem__, default=self.chosen)

    def _networks(self) -> list[QNetwork]:
        return [member.network for member in self._members]

    def _use_member(self, k: int, network: QNetwork, target: QNetwork, optimizer: Optimizer) -> None:
        """The loop has no copy of them."""

    def _forget(self, k: int) -> None:
        self._losses[k] = 0.0
        for lane in self._lanes:
            del lane.acted[k]

    @property
    def choice_waits(self) -> bool:
        return self._chose

    def _last_losses(self) -> np.ndarray:
        return self._mean_losses.copy()

    def _take_notice(self) -> None:
        self._chose = False

    def _population_state(self) -> dict[str, Any]:
        return {
            "chosen": self.chosen,
            "has_chosen": self._chose,
            "n_losses": self._n_losses,
            "losses": self._losses.copy(),
            "last_losses": self._mean_losses.copy(),
            "retired": self._retired.astype(np.uint8),
            "acted": np.array([[lane.acted[k] for k in range(self._learners)] for lane in self._lanes], np.int64),
        }

    def _set_population_state(self, state: Mapping[str, Any]) -> None:
        self._chosen, self._chose, self._n_losses = state["chosen"], state["has_chosen"], state["n_losses"]
        self._losses, self._mean_losses = state["losses"].copy(), state["last_losses"].copy()
        self._retired = state["retired"].astype(bool)
        for lane, counts in zip(self._lanes, state["acted"].tolist(), strict=True):
            lane.acted = Counter({k: n for k, n in enumerate(counts) if n})


class DQNEnsemble(BaseEnsemble[QNetwork, ReplayBuffer, Optimizer], DQNPopulation):
    """`BaseEnsemble` on NumPy, with one more argument.

    Args:
        dtype: float32 or float64, of networks and memory.
    """

    @property
    def retired(self) -> np.ndarray:
        return self._retired.copy()

    def _target_of(self, member: Member) -> QNetwork:
        target: QNetwork = member.target
        return target

    def _update_target(self) -> None:
        """Each target <- a copy of its network, unless that is retired."""
        for k, member in enumerate(self._members):
            if not self._retired[k]:
                self._network, self._target = member.network, member.target
                DQNAgent._update_target(self)
        self._follow_choice()

    def _acting(self, lane: Lane) -> QNetwork:
        """The one that acts."""
        if len(self._members) > 1:
            lane.acted[self.chosen] += 1
        return self.network

    def _act_by(self, k: int) -> None:
        self._chosen = k

    def _retire(self, k: int) -> None:
        self._retired[k] = True
