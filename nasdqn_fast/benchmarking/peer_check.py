"""Peers: which are installed, and whether they do the same arithmetic as our engine.

A peer is a file in ``peers/``: ``version() -> str | None`` (None: something it needs is not installed), and a class
``Training`` made from (architecture, seed) with ``run(steps)``, ``description``, and ``loss_and_gradient(parameters,
observations, actions, targets)``. One whose arithmetic cannot be compared says ``checks = False``.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from nasdqn_fast.benchmarking.folder import modules
from nasdqn_fast.benchmarking.setting import BATCH, N_ACTIONS, OBSERVATION_SIZE
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.space import Architecture

TOLERANCE = 1e-5  # of loss and gradient, absolute below 1 and relative above: float32 sums in another order


def installed() -> dict[str, Any]:
    """Name -> module of the peers whose libraries are installed."""
    found = {name: _imported(module) for name, module in modules("peers").items()}
    return {name: module for name, module in found.items() if module is not None and module.version() is not None}


def disagreement(training: Any, architecture: Architecture) -> float:
    """The largest difference in loss or gradient, as a share of `TOLERANCE`; 0 if it cannot be compared.

    Args:
        training: a peer's ``Training`` of this architecture.
        architecture: of the network that both are asked about.
    """
    if not getattr(training, "checks", True):
        return 0.0
    rng = np.random.default_rng(0)
    network = QNetwork(architecture, OBSERVATION_SIZE, N_ACTIONS, rng)
    observations = rng.standard_normal((BATCH, OBSERVATION_SIZE), np.float32)
    actions = rng.integers(N_ACTIONS, size=BATCH)
    targets = 3 * rng.standard_normal(BATCH, np.float32)  # some beyond the Huber loss's corner
    loss, gradient = network.loss_and_gradient(observations, actions, targets)
    ours = np.append(gradient.parameters, loss)
    loss, gradient = training.loss_and_gradient(network.parameters, observations, actions, targets)
    theirs = np.append(gradient, loss)
    return float(np.max(np.abs(theirs - ours) / np.maximum(1, np.abs(ours)))) / TOLERANCE


def _imported(module: str) -> Any | None:
    """The module; None if a library that it imports is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if f"{error.name}.".startswith("nasdqn_fast."):
            raise
        return None
