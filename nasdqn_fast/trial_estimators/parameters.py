"""The number of weights and biases: the larger, the better. The baseline of all scores that train nothing."""

from __future__ import annotations

import math

from nasdqn_fast.trial_estimators.base import Trial


def parameters(trial: Trial) -> float:
    """Logarithm of the number of parameters."""
    return math.log(len(trial.network(0).parameters))


plugin = parameters
