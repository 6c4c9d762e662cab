"""What zero-cost estimators share: scores of networks as they are drawn, averaged over several draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nasdqn_fast.plugins import option
from nasdqn_fast.reference.network import Gradient, QNetwork
from nasdqn_fast.trial_estimators.base import Trial
from nasdqn_fast.types import Batch


@dataclass(frozen=True)
class DrawOptions:
    """How many networks are drawn."""

    draws: int = option(5, "networks whose mean score counts", "this package", minimum=1)


@dataclass(frozen=True)
class BatchOptions(DrawOptions):
    """How many networks are drawn, and what they see."""

    batch: int = option(64, "transitions of random actions", "Abdelfattah et al. 2021: one minibatch", minimum=2)


def mean_over_draws(trial: Trial, score: Callable[[QNetwork], float]) -> float:
    """Mean score over networks that a run of the trial's architecture could begin with."""
    return float(np.mean([score(trial.network(draw)) for draw in range(trial.options.draws)]))


def loss_gradient(network: QNetwork, batch: Batch, trial: Trial) -> Gradient:
    """Gradient of the loss of the first update from these transitions; the target is the network itself."""
    settings = trial.settings
    following = network.q_values(batch.next_observations).max(axis=1)
    targets = batch.rewards + settings.gamma * np.where(batch.terminated, 0.0, following)
    return network.loss_and_gradient(
        batch.observations.astype(network.dtype), batch.actions, targets, settings.huber_delta, settings.loss
    )[1]
