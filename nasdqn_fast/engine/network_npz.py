"""Networks as npz archives without pickle, as earlier versions wrote them.

Keys: ``format`` (what and which version), ``architecture`` (text form), ``observation_size``,
``n_actions``, ``weights_0`` (n_in, n_out), ``biases_0`` (n_out,), ``weights_1``, ... as float32 or,
from a float64 network, float64. One that normalizes observations has version 2 and ``normalizer_count``,
``normalizer_mean`` and ``normalizer_variance`` (observation_size,) as float64, too.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from nasdqn_fast.engine.network_contents import Contents, found
from nasdqn_fast.storage import npz

FORMAT = "nasdqn-fast network 1"
NORMALIZING = "nasdqn-fast network 2"  # version 1 would be read without the normalizer, and act otherwise


def write(file: BinaryIO, network: Contents) -> None:
    """Writes the archive.

    Raises:
        ValueError: the network is a sum, for which this format has no place; nothing was written.
    """
    if network.base:
        raise ValueError("an npz archive holds no sum of networks; give the file a name that ends in .safetensors")
    layers = {f"weights_{i}": weights for i, weights in enumerate(network.weights)}
    layers |= {f"biases_{i}": biases for i, biases in enumerate(network.biases)}
    statistics = network.normalizer or {}
    about = {
        "format": np.array(NORMALIZING if statistics else FORMAT),
        "architecture": np.array(str(network.architecture)),
        "observation_size": np.array(network.observation_size),
        "n_actions": np.array(network.n_actions),
    }
    npz.write(file, about | layers | {f"normalizer_{name}": np.array(x) for name, x in statistics.items()})


def decoded(content: bytes) -> Contents:
    """The network in an archive.

    Raises:
        TypeError, ValueError: it is damaged, of another kind or version, or holds numbers that are not finite.
    """
    arrays = npz.read(content)
    version = found(arrays, "format").item()
    if version not in (FORMAT, NORMALIZING):
        raise ValueError(f"format is {version!r}, this version reads {FORMAT!r} and {NORMALIZING!r}")
    return Contents.checked(
        found(arrays, "architecture").item(),
        found(arrays, "observation_size").item(),
        found(arrays, "n_actions").item(),
        lambda i: (f"weights_{i}", found(arrays, f"weights_{i}")),
        lambda i: (f"biases_{i}", found(arrays, f"biases_{i}")),
        _normalizer(arrays) if version == NORMALIZING else None,
    )


def _normalizer(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    state = {name: found(arrays, f"normalizer_{name}") for name in ("count", "mean", "variance")}
    return state | {"count": state["count"].item()}
