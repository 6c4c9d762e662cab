"""Peers: where they are, which are installed, and whether they do the same arithmetic as our engine.

They are no part of the package: a peer is a file in ``bench/peers`` of the source tree. What the group ``peers`` times
is its class ``Training``, made from (architecture, seed, optimizer). It has ``run(steps)``, ``description``,
``version``, ``optimizers``, ``supports(architecture)`` and, if its arithmetic can be compared,
``loss_and_gradient(parameters, observations, actions, targets)`` and ``take_steps(parameters, gradients)``. Other
groups show a class ``Updates`` (growth) or ``ManySeeds`` (threads) beside ours.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.benchmarking.folder import stems
from nasdqn_fast.benchmarking.setting import BATCH, N_ACTIONS, OBSERVATION_SIZE
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer
from nasdqn_fast.errors import InputError
from nasdqn_fast.space import Architecture

TOLERANCE = 1e-5  # of loss and gradient, absolute below 1 and relative above: float32 sums in another order
STEP_TOLERANCE = 1e-6  # of parameters after a few steps of the optimizer, absolute; Adam's move by 2.5e-4 each
STEPS = 3  # of the optimizer: the second and third depend on what it keeps
TREE = Path(__file__).parents[2]  # the source tree, if the package is used from one


def folder() -> Path:
    """The folder of the peers: the package's own source tree comes first, then the current directory.

    Raises:
        InputError: neither holds a source tree of nasdqn-fast.
    """
    for tree in (TREE, Path.cwd()):
        if all((tree / part / "__init__.py").is_file() for part in ("bench/peers", "nasdqn_fast")):
            return tree / "bench" / "peers"
    raise InputError(
        "the peers are in bench/peers of nasdqn-fast's source tree, which is not installed with the package; "
        "clone the repository or unpack the source distribution, and run this command in its top folder"
    )


def known() -> tuple[str, ...]:
    """Names of all peers, installed or not.

    Raises:
        InputError: there is no source tree.
    """
    return tuple(stems(folder()))


def chosen(kind: str, names: tuple[str, ...] | None) -> dict[str, Any]:
    """Name -> class of the peers that are installed and have one of this kind.

    Args:
        kind: ``Training``, ``Updates`` or ``ManySeeds``.
        names: of the peers wanted; none, or None, means all.
    """
    modules = installed(folder(), names or ())
    return {name: getattr(module, kind) for name, module in modules.items() if hasattr(module, kind)}


def installed(peers: Path, names: tuple[str, ...] = ()) -> dict[str, Any]:
    """Name -> module of the peers whose libraries are installed.

    Args:
        peers: their folder, a package of any name.
        names: of those wanted; none means all.
    """
    tree = str(peers.parent)
    if tree not in sys.path:
        sys.path.insert(0, tree)
    found = {
        name: _imported(f"{peers.name}.{stem}") for name, stem in stems(peers).items() if not names or name in names
    }
    return {name: module for name, module in found.items() if module is not None}


def disagreement(training: Any, architecture: Architecture, optimizer: str = "sgd") -> float:
    """The largest difference from our engine, as a share of what is allowed; 0 if it cannot be compared.

    Loss and gradient may differ by `TOLERANCE`, the parameters after `STEPS` steps by `STEP_TOLERANCE`.

    Args:
        training: a peer's ``Training`` or ``Updates`` of this architecture and optimizer.
        architecture: of the network that both are asked about.
        optimizer: ``sgd`` or ``adam``, with our default settings.
    """
    if not hasattr(training, "loss_and_gradient"):
        return 0.0
    rng = np.random.default_rng(0)
    network = QNetwork(architecture, OBSERVATION_SIZE, N_ACTIONS, rng)
    observations = rng.standard_normal((BATCH, OBSERVATION_SIZE), np.float32)
    actions = rng.integers(N_ACTIONS, size=BATCH)
    targets = 3 * rng.standard_normal(BATCH, np.float32)  # some beyond the Huber loss's corner
    loss, gradient = network.loss_and_gradient(observations, actions, targets)
    ours = np.append(gradient.parameters, loss)
    loss, their_gradient = training.loss_and_gradient(network.parameters, observations, actions, targets)
    theirs = np.append(their_gradient, loss)
    difference = float(np.max(np.abs(theirs - ours) / np.maximum(1, np.abs(ours)))) / TOLERANCE
    # Different ones: along the same gradient again and again, Adam steps as if it kept nothing.
    gradients = [network.loss_and_gradient(observations, actions, targets - n)[1] for n in range(STEPS)]
    moved = training.take_steps(network.parameters, np.stack([g.parameters for g in gradients]))
    steps = Optimizer(optimizer)
    for gradient in gradients:
        network.apply_gradient(gradient, steps)
    return max(difference, float(np.max(np.abs(moved - network.parameters))) / STEP_TOLERANCE)


def objection(name: str, setting: str, training: Any, architecture: Architecture, optimizer: str) -> str | None:
    """Why a peer is left out, if it is; see `disagreement`."""
    too_much = disagreement(training, architecture, optimizer)
    if too_much <= 1:
        return None
    return (
        f"{name} is left out for {setting}: its loss, gradient or step differs from ours by {too_much:.1f} times "
        "what is allowed"
    )


def _imported(module: str) -> Any | None:
    """The module; None if a library that it imports is not installed."""
    own = (module.partition(".")[0], "nasdqn_fast")
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in own:  # a mistake, not a library
            raise
        return None
