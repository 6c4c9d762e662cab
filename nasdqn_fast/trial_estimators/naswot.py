"""NASWOT: how well a network at initialization tells observations apart (Mellor et al. 2021, arXiv:2006.04647).

An observation's code says of each hidden unit whether it is active, which is whether its input is above 0. K_ij is the
number of units in which the codes of observations i and j agree; the score is log det (K + I). The identity is not in
the paper: where two observations have one code, as happens in small networks, K is singular.
"""

from __future__ import annotations

import numpy as np

from nasdqn_fast.reference.network import ACTIVATIONS, QNetwork
from nasdqn_fast.trial_estimators._start import BatchOptions, mean_over_draws
from nasdqn_fast.trial_estimators.base import Trial


class Naswot:
    """log det (K + I) of the activation codes of observations that random actions come to."""

    Options = BatchOptions

    def __call__(self, trial: Trial) -> float:
        observations = trial.transitions(trial.options.batch).observations
        return mean_over_draws(trial, lambda network: log_determinant(codes(network, observations)))


def codes(network: QNetwork, observations: np.ndarray) -> np.ndarray:
    """bool (observations, hidden units): which are active."""
    sigma, _ = ACTIVATIONS[network.architecture.activation]
    h, active = observations.astype(network.dtype), []
    for weights, biases in zip(network.weights[:-1], network.biases[:-1], strict=True):
        z = h @ weights + biases
        active.append(z > 0)
        h = sigma(z)
    return np.concatenate(active, axis=1)


def log_determinant(active: np.ndarray) -> float:
    """log det (K + I) of codes (n, units)."""
    on = active.astype(np.float64)
    agreeing = on @ on.T + (1 - on) @ (1 - on).T
    return float(np.linalg.slogdet(agreeing + np.eye(len(on)))[1])


plugin = Naswot
