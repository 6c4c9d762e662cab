"""How the agent learns: targets, a step down the gradient, priorities, and moves of the target network."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.engine.base_agent import BaseAgent
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.reference.optimizer import Optimizer
from nasdqn_fast.reference.priorities import priorities_of
from nasdqn_fast.reference.replay import ReplayBuffer
from nasdqn_fast.types import Batch, PrioritizedBatch

# Weights of a target that follows by parts become zero below this, as in the kernels: they would turn subnormal.
TINY_TARGET = 1e-30


class Learner(BaseAgent[QNetwork, ReplayBuffer, Optimizer]):
    """The part of the agent that is `ndq_learner` in the compiled core; how it plays is left open."""

    network_type = QNetwork
    replay_type = ReplayBuffer
    optimizer_type = Optimizer

    _updates: int

    def learn(self) -> float:
        """One update from the replay memory, and a move of the target when one is due.

        Returns:
            mean loss of the minibatch, before the update, with the weights of prioritized draws.

        Raises:
            ValueError: the memory is empty.
            NonFiniteError: the loss is not finite; nothing was changed.
        """
        self._require_memory()
        return self._update()

    def _update(self) -> float:
        batch, discounts, drawn = self._minibatch()
        loss, errors = self._learn_from(batch, discounts, drawn)
        if drawn is not None:
            self._update_priorities(drawn, errors)
        self._count_update()
        return loss

    def _learn_from(
        self, batch: Batch, discounts: np.ndarray, drawn: PrioritizedBatch | None
    ) -> tuple[float, np.ndarray]:
        """A step of the network down the gradient of a minibatch's loss: that loss, and the TD errors before it."""
        settings = self.settings
        # Overflow on the way is no news: it ends in a loss that is not finite, which is reported below.
        with np.errstate(over="ignore", invalid="ignore"):
            targets = self._targets(batch, discounts)
            loss, gradient = self.network.loss_and_gradient(
                batch.observations,
                batch.actions,
                targets,
                settings.huber_delta,
                settings.loss,
                None if drawn is None else drawn.weights.astype(self.network.dtype),
            )
        if not np.isfinite(loss):
            raise self._non_finite_loss()
        errors = self._q(batch.observations)[np.arange(len(batch)), batch.actions] - targets
        first = self.optimizer.settings.resolved_learning_rate
        self.optimizer.learning_rate = settings.learning_rate_after(self.steps, first)
        self.network.apply_gradient(gradient, self.optimizer)
        return loss, errors

    def _count_update(self) -> None:
        """Counts an update, and moves the target if that is due by updates."""
        settings = self.settings
        self._updates += 1
        if settings.target_unit == "updates" and self.updates % settings.target_every == 0:
            self._update_target()

    def _minibatch(self) -> tuple[Batch, np.ndarray, PrioritizedBatch | None]:
        """Transitions with their returns, the factors of the values after these, and what was drawn by priority."""
        settings = self.settings
        if settings.replay_sampling == "uniform":
            return *self.replay.sample_n_step(settings.batch_size, settings.n_step, settings.gamma), None
        drawn = self.replay.sample_prioritized(settings.batch_size, settings.priority_beta_after(self.steps))
        return *self.replay.n_step_returns(drawn.slots, settings.n_step, settings.gamma), drawn

    def _update_priorities(self, drawn: PrioritizedBatch, errors: np.ndarray) -> None:
        """The minibatch's transitions are drawn by the TD errors of this update from now on."""
        settings = self.settings
        priorities = priorities_of(errors, settings.priority_alpha, settings.priority_epsilon)
        self.replay.set_priorities(drawn.slots, priorities)

    def _update_target(self) -> None:
        """w- <- tau w + (1 - tau) w-; with tau = 1 a copy."""
        if self.settings.target_tau == 1.0:
            self.target.copy_from(self.network)
            return
        target, tau = self.target.parameters, self.target.dtype.type(self.settings.target_tau)
        moved = target + tau * (self.network.parameters - target)
        self.target.parameters = np.where(np.abs(moved) < TINY_TARGET, 0, moved).astype(moved.dtype)

    def _targets(self, batch: Batch, discounts: np.ndarray) -> np.ndarray:
        """y = r + gamma Q(s', argmax_a' Q(s', a'; w); w-), and y = r where the episode is over.

        Without Double DQN, y = r + gamma max_a' Q(s', a'; w-). With n-step returns, r is one, s' follows its last
        reward, and gamma is a power of itself.
        """
        over = batch.terminated
        if self.settings.horizon_is == "terminal":
            over = over | batch.truncated
        chooser = self.network if self.settings.double else self.target
        best = np.argmax(chooser.forward(batch.next_observations), axis=1)
        q_next = self.target.forward(batch.next_observations)[np.arange(len(batch)), best]
        return batch.rewards + discounts * np.where(over, 0, q_next)

    def _q(self, observations: np.ndarray) -> np.ndarray:
        return self.network.forward(observations.astype(self.network.dtype))
