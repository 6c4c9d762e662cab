"""Network files, shared by both backends: an npz archive without pickle.

Keys: ``format`` (what and which version), ``architecture`` (text form), ``observation_size``,
``n_actions``, ``weights_0`` (n_in, n_out), ``biases_0`` (n_out,), ``weights_1``, ... as float32 or,
from a float64 network, float64. Equal networks give equal files: the archive holds no time.
"""

from __future__ import annotations

import itertools
import os
from typing import Any, NamedTuple

import numpy as np

from nasdqn_fast.files import replacing
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import InputError
from nasdqn_fast.validation import check_array, check_positive_int

FORMAT = "nasdqn-fast network 1"
Path = str | os.PathLike[str]


class Contents(NamedTuple):
    """What a network file holds; weights and biases are a list each, one array a layer."""

    architecture: Architecture
    observation_size: int
    n_actions: int
    weights: list[np.ndarray]
    biases: list[np.ndarray]


def save(path: Path, network: Contents) -> None:
    """Writes the network; a file of that name is replaced, as a whole or not at all.

    Raises:
        OSError: the folder is missing or not writable.
    """
    layers: dict[str, Any] = {f"weights_{i}": weights for i, weights in enumerate(network.weights)}
    layers |= {f"biases_{i}": biases for i, biases in enumerate(network.biases)}
    with replacing(path) as file:
        np.savez(
            file,
            format=np.array(FORMAT),
            architecture=np.array(str(network.architecture)),
            observation_size=np.array(network.observation_size),
            n_actions=np.array(network.n_actions),
            **layers,
        )


def load(path: Path) -> Contents:
    """Reads a network file.

    Raises:
        InputError: the file is missing, damaged, truncated, of another kind or version, or holds
            numbers that are not finite.
    """
    try:
        with open(path, "rb") as file:
            return _parse(file)
    except OSError as error:
        raise InputError(f"cannot read network file {os.fspath(path)!r}: {error.strerror or error}") from error
    except Exception as error:
        # Damaged bytes make zipfile, zlib and the npy parser raise almost anything, NotImplementedError,
        # RuntimeError (an "encrypted" member) and MemoryError (an absurd shape) among it.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"damaged or foreign network file {os.fspath(path)!r}: {reason}; save it again") from error


def _parse(file) -> Contents:
    archive = np.load(file, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError("it holds a single array, not a network")
    missing = {"format", "architecture", "observation_size", "n_actions"} - set(archive.files)
    if missing:
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    found = archive["format"].item()
    if found != FORMAT:
        raise ValueError(f"format is {found!r}, this version reads {FORMAT!r}")
    architecture = Architecture.parse(archive["architecture"].item())
    observation_size = check_positive_int("observation_size", archive["observation_size"].item())
    n_actions = check_positive_int("n_actions", archive["n_actions"].item())
    shapes = list(itertools.pairwise(architecture.layer_sizes(observation_size, n_actions)))
    dtype = np.float64 if archive["weights_0"].dtype == np.float64 else np.float32
    weights = [_layer(archive, f"weights_{i}", shape, dtype) for i, shape in enumerate(shapes)]
    biases = [_layer(archive, f"biases_{i}", shape[1:], dtype) for i, shape in enumerate(shapes)]
    return Contents(architecture, observation_size, n_actions, weights, biases)


def _layer(archive, name: str, shape: tuple[int, ...], dtype: type[np.floating]) -> np.ndarray:
    array = check_array(name, archive[name], shape, dtype)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is not finite")
    return array
