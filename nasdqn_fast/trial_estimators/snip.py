"""SNIP: sum of |w dJ/dw| over the parameters at initialization (Lee et al. 2019, arXiv:1810.02340)."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.trial_estimators._start import BatchOptions, loss_gradient, mean_over_draws
from nasdqn_fast.trial_estimators.base import Trial


class Snip:
    """How much the loss of the first update changes, to first order, as each weight in turn is left out."""

    Options = BatchOptions

    def __call__(self, trial: Trial) -> float:
        batch = trial.transitions(trial.options.batch)
        return mean_over_draws(
            trial,
            lambda network: float(np.abs(network.parameters * loss_gradient(network, batch, trial).parameters).sum()),
        )


plugin = Snip
