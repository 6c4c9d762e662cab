"""Euclidean norm of the loss's gradient at initialization (Abdelfattah et al. 2021, arXiv:2101.08134)."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.trial_estimators._start import BatchOptions, loss_gradient, mean_over_draws
from nasdqn_fast.trial_estimators.base import Trial


class GradientNorm:
    """||dJ/dw||, J being the loss of the first update from transitions of random actions."""

    Options = BatchOptions

    def __call__(self, trial: Trial) -> float:
        batch = trial.transitions(trial.options.batch)
        return mean_over_draws(
            trial, lambda network: float(np.linalg.norm(loss_gradient(network, batch, trial).parameters))
        )


plugin = GradientNorm
