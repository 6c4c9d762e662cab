"""Synaptic flow: sum of w dR/dw, R = 1' |W_1| ... |W_n| 1 (Tanaka et al. 2020, arXiv:2006.05467). It needs no data.

R is a product of one factor of each layer, so that each layer's share of the sum is R: the score is n R, n being the
number of layers. Biases are left out, and activations, which are the identity where R has its values for ReLU. Its
logarithm is given.
"""

from __future__ import annotations

import math

import numpy as np

from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.trial_estimators._start import DrawOptions, mean_over_draws
from nasdqn_fast.trial_estimators.base import Trial


class Synflow:
    """Logarithm of the synaptic flow through all weights."""

    Options = DrawOptions

    def __call__(self, trial: Trial) -> float:
        return mean_over_draws(trial, log_flow)


def log_flow(network: QNetwork) -> float:
    """Logarithm of n R; of a network without any flow, whose weights are all zero, that of the least number."""
    flow = np.ones(network.observation_size)
    for weights in network.weights:
        flow = flow @ np.abs(weights)
    return math.log(max(len(network.weights) * float(flow.sum()), np.finfo(np.float64).tiny))


plugin = Synflow
