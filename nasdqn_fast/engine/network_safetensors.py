"""Networks as safetensors files, with the names and shapes of PyTorch.

Tensors: ``layers.0.weight`` (n_out, n_in), ``layers.0.bias`` (n_out,), ``layers.1.weight``, ... as float32 or, from a
float64 network, float64; of a network that normalizes observations also ``normalizer.mean`` and
``normalizer.variance`` (observation_size,) and ``normalizer.count`` (1,) as float64.

Metadata, all of it text: ``format`` (what and which version), ``architecture`` (text form), ``activation`` and
``sizes`` (units of every layer, commas between), which say the same in other words, ``normalizes`` (``true`` or
``false``), and ``crc32``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nasdqn_fast.engine.network_contents import Contents, found
from nasdqn_fast.storage import safetensors_file

FORMAT = "nasdqn-fast network 3"
STATISTICS = ("count", "mean", "variance")


def encoded(network: Contents) -> bytes:
    """The content of the file."""
    arrays = {f"layers.{i}.weight": weights.T for i, weights in enumerate(network.weights)}
    arrays |= {f"layers.{i}.bias": biases for i, biases in enumerate(network.biases)}
    for name, value in (network.normalizer or {}).items():
        arrays[f"normalizer.{name}"] = np.atleast_1d(np.asarray(value, np.float64))
    sizes = network.architecture.layer_sizes(network.observation_size, network.n_actions)
    metadata = {
        "format": FORMAT,
        "architecture": str(network.architecture),
        "activation": network.architecture.activation,
        "sizes": ",".join(map(str, sizes)),
        "normalizes": "true" if network.normalizer else "false",
    }
    return safetensors_file.encoded(arrays, metadata)


def decoded(content: bytes) -> Contents:
    """The network in a file.

    Raises:
        TypeError, ValueError: it is damaged, of another kind or version, or holds numbers that are not finite.
    """
    arrays, metadata = safetensors_file.decoded(content)
    if (version := metadata.get("format")) != FORMAT:
        raise ValueError(f"format is {version!r} in its metadata, this version reads {FORMAT!r}")
    sizes = [_size(text) for text in found(metadata, "sizes").split(",")]

    def part(i: int, name: str) -> tuple[str, np.ndarray]:
        name = f"layers.{i}.{name}"
        array = found(arrays, name)
        return name, np.ascontiguousarray(array.T)

    return Contents.checked(
        found(metadata, "architecture"),
        sizes[0],
        sizes[-1],
        lambda i: part(i, "weight"),
        lambda i: part(i, "bias"),
        _normalizer(arrays) if found(metadata, "normalizes") == "true" else None,
    )


def _size(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"sizes must be numbers with commas between; got {text!r}")
    return int(text)


def _normalizer(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    count, *others = (found(arrays, f"normalizer.{name}") for name in STATISTICS)
    if count.shape != (1,):
        raise ValueError(f"normalizer.count must be of shape (1,); got {count.shape}")
    return dict(zip(STATISTICS, (count.item(), *others), strict=True))
