"""The operations of a forward pass: the more, the better."""

from __future__ import annotations

import math

from nasdqn_fast.flop import forward_flop
from nasdqn_fast.trial_estimators.base import Trial


def flop(trial: Trial) -> float:
    """Logarithm of the operations of a forward pass."""
    network = trial.network(0)
    return math.log(forward_flop(network.architecture, network.observation_size, network.n_actions, rows=1))


plugin = flop
