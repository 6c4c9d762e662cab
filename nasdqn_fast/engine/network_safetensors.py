"""Networks as safetensors files, with the names and shapes of PyTorch.

Tensors: ``layers.0.weight`` (n_out, n_in), ``layers.0.bias`` (n_out,), ``layers.1.weight``, ... as float32 or, from a
float64 network, float64; of a network that normalizes observations also ``normalizer.mean`` and
``normalizer.variance`` (observation_size,) and ``normalizer.count`` (1,) as float64.

Of a sum of networks (`QNetwork.plus`), ``base.0.layers.0.weight``, ... are those of the first network that is added;
the metadata ``base`` names all of them with their signs, ``-3x32-tanh +2x64-relu``, and ``format`` has a number of its
own, so that a reader that does not know of sums does not take one of the networks for all.

Metadata, all of it text: ``format`` (what and which version), ``architecture`` (text form), ``activation`` and
``sizes`` (units of every layer, commas between), which say the same in other words, ``normalizes`` (``true`` or
``false``), and ``crc32``.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from nasdqn_fast.engine.network_contents import Contents, Part, found
from nasdqn_fast.storage import safetensors_file

FORMAT = "nasdqn-fast network 3"
SUM = "nasdqn-fast network 4"
STATISTICS = ("count", "mean", "variance")


def encoded(network: Contents) -> bytes:
    """The content of the file."""
    arrays = _layers("", network)
    for k, part in enumerate(network.base):
        arrays |= _layers(f"base.{k}.", part)
    for name, value in (network.normalizer or {}).items():
        arrays[f"normalizer.{name}"] = np.atleast_1d(np.asarray(value, np.float64))
    sizes = network.architecture.layer_sizes(network.observation_size, network.n_actions)
    metadata = {
        "format": SUM if network.base else FORMAT,
        "architecture": str(network.architecture),
        "activation": network.architecture.activation,
        "sizes": ",".join(map(str, sizes)),
        "normalizes": "true" if network.normalizer else "false",
    }
    if network.base:
        metadata["base"] = " ".join(f"{'-' if part.sign < 0 else '+'}{part.architecture}" for part in network.base)
    return safetensors_file.encoded(arrays, metadata)


def _layers(prefix: str, network: Contents | Part) -> dict[str, np.ndarray]:
    weights = {f"{prefix}layers.{i}.weight": weights.T for i, weights in enumerate(network.weights)}
    return weights | {f"{prefix}layers.{i}.bias": biases for i, biases in enumerate(network.biases)}


def decoded(content: bytes) -> Contents:
    """The network in a file.

    Raises:
        TypeError, ValueError: it is damaged, of another kind or version, or holds numbers that are not finite.
    """
    arrays, metadata = safetensors_file.decoded(content)
    if (version := metadata.get("format")) not in (FORMAT, SUM):
        raise ValueError(f"format is {version!r} in its metadata, this version reads {FORMAT!r} and {SUM!r}")
    sizes = [_size(text) for text in found(metadata, "sizes").split(",")]

    def network(prefix: str, architecture: str, normalizer: dict[str, Any] | None = None) -> Contents:
        def part(i: int, name: str) -> tuple[str, np.ndarray]:
            name = f"{prefix}layers.{i}.{name}"
            array = found(arrays, name)
            return name, np.ascontiguousarray(array.T)

        weights, biases = partial(part, name="weight"), partial(part, name="bias")
        return Contents.checked(architecture, sizes[0], sizes[-1], weights, biases, normalizer)

    statistics = _normalizer(arrays) if found(metadata, "normalizes") == "true" else None
    whole = network("", found(metadata, "architecture"), statistics)
    if version == FORMAT:
        return whole
    base = []
    for k, text in enumerate(found(metadata, "base").split(" ")):
        if text[:1] not in ("+", "-"):
            raise ValueError(f"base must name architectures with their signs; got {text!r}")
        part = network(f"base.{k}.", text[1:])
        base.append(Part(part.architecture, part.weights, part.biases, -1.0 if text[0] == "-" else 1.0))
    return whole._replace(base=base)


def _size(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"sizes must be numbers with commas between; got {text!r}")
    return int(text)


def _normalizer(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    count, *others = (found(arrays, f"normalizer.{name}") for name in STATISTICS)
    if count.shape != (1,):
        raise ValueError(f"normalizer.count must be of shape (1,); got {count.shape}")
    return dict(zip(STATISTICS, (count.item(), *others), strict=True))
