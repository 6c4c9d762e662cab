"""Network files, shared by both backends: an npz archive without pickle.

Keys: ``format`` (what and which version), ``architecture`` (text form), ``observation_size``,
``n_actions``, ``weights_0`` (n_in, n_out), ``biases_0`` (n_out,), ``weights_1``, ... as float32 or,
from a float64 network, float64. One that normalizes observations has version 2 and ``normalizer_count``,
``normalizer_mean`` and ``normalizer_variance`` (observation_size,) as float64, too. Equal networks give
equal files: the archive holds no time.
"""

from __future__ import annotations

import itertools
import os
from typing import Any, NamedTuple

import numpy as np

from nasdqn_fast.errors import InputError
from nasdqn_fast.space import Architecture
from nasdqn_fast.storage import npz
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.validation import check_array, check_positive_int

FORMAT = "nasdqn-fast network 1"
NORMALIZING = "nasdqn-fast network 2"  # version 1 would be read without the normalizer, and act otherwise
Path = str | os.PathLike[str]


class Contents(NamedTuple):
    """What a network file holds; weights and biases are a list each, one array a layer.

    ``normalizer`` is the state of the network's, or None.
    """

    architecture: Architecture
    observation_size: int
    n_actions: int
    weights: list[np.ndarray]
    biases: list[np.ndarray]
    normalizer: dict[str, Any] | None = None


def save(path: Path, network: Contents) -> None:
    """Writes the network; a file of that name is replaced, as a whole or not at all.

    Raises:
        ValueError: a weight is not finite; nothing was written.
        OSError: the folder is missing or not writable.
    """
    layers = {f"weights_{i}": weights for i, weights in enumerate(network.weights)}
    layers |= {f"biases_{i}": biases for i, biases in enumerate(network.biases)}
    for name, array in layers.items():
        _check_finite(name, array)
    statistics = network.normalizer or {}
    with replacing(path, durable=True) as file:
        about = {
            "format": np.array(NORMALIZING if statistics else FORMAT),
            "architecture": np.array(str(network.architecture)),
            "observation_size": np.array(network.observation_size),
            "n_actions": np.array(network.n_actions),
        }
        npz.write(file, about | layers | {f"normalizer_{name}": np.array(x) for name, x in statistics.items()})


def load(path: Path) -> Contents:
    """Reads a network file.

    Raises:
        InputError: the file is missing, damaged, truncated, of another kind or version, or holds
            numbers that are not finite.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
        return _parse(npz.read(content))
    except OSError as error:
        raise InputError(f"cannot read network file {os.fspath(path)!r}: {error.strerror or error}") from error
    except (TypeError, ValueError) as error:
        raise InputError(f"damaged or foreign network file {os.fspath(path)!r}: {error}; save it again") from error


def _parse(arrays: dict[str, np.ndarray]) -> Contents:
    found = _found(arrays, "format").item()
    if found not in (FORMAT, NORMALIZING):
        raise ValueError(f"format is {found!r}, this version reads {FORMAT!r} and {NORMALIZING!r}")
    architecture = Architecture.parse(_found(arrays, "architecture").item())
    observation_size = check_positive_int("observation_size", _found(arrays, "observation_size").item())
    n_actions = check_positive_int("n_actions", _found(arrays, "n_actions").item())
    shapes = list(itertools.pairwise(architecture.layer_sizes(observation_size, n_actions)))
    dtype = np.float64 if _found(arrays, "weights_0").dtype == np.float64 else np.float32
    weights = [_layer(arrays, f"weights_{i}", shape, dtype) for i, shape in enumerate(shapes)]
    biases = [_layer(arrays, f"biases_{i}", shape[1:], dtype) for i, shape in enumerate(shapes)]
    normalizer = _normalizer(arrays) if found == NORMALIZING else None
    return Contents(architecture, observation_size, n_actions, weights, biases, normalizer)


def _normalizer(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    state = {name: _found(arrays, f"normalizer_{name}") for name in ("count", "mean", "variance")}
    return state | {"count": state["count"].item()}


def _found(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    if name not in arrays:
        raise ValueError(f"it lacks {name}")
    return arrays[name]


def _layer(arrays: dict[str, np.ndarray], name: str, shape: tuple[int, ...], dtype: type[np.floating]) -> np.ndarray:
    return _check_finite(name, check_array(name, _found(arrays, name), shape, dtype))


def _check_finite(name: str, array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is not finite")
    return array
