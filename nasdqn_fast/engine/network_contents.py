"""What a network file holds, whatever its format."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from nasdqn_fast.space import Architecture
from nasdqn_fast.validation import check_array, check_positive_int


class Part(NamedTuple):
    """A network whose Q-values are added, times its sign, to those of the network in the file."""

    architecture: Architecture
    weights: list[np.ndarray]
    biases: list[np.ndarray]
    sign: float


class Contents(NamedTuple):
    """What a network file holds; weights and biases are a list each, one array a layer.

    ``normalizer`` is the state of the network's, or None; ``base`` is empty but of a sum of networks.
    """

    architecture: Architecture
    observation_size: int
    n_actions: int
    weights: list[np.ndarray]
    biases: list[np.ndarray]
    normalizer: dict[str, Any] | None = None
    base: Sequence[Part] = ()

    @classmethod
    def checked(
        cls,
        architecture: Any,
        observation_size: Any,
        n_actions: Any,
        weights: Callable[[int], tuple[str, np.ndarray]],
        biases: Callable[[int], tuple[str, np.ndarray]],
        normalizer: dict[str, Any] | None,
    ) -> Self:
        """From what a file says.

        Args:
            architecture, observation_size, n_actions: as for the network.
            weights, biases: give the name and the array of a layer, (n_in, n_out) and (n_out,).
            normalizer: the state, which the normalizer that gets it checks; None without one.

        Raises:
            TypeError, ValueError: they do not fit each other, or a number is not finite.
        """
        architecture = Architecture.parse(architecture)
        observation_size = check_positive_int("observation_size", observation_size)
        n_actions = check_positive_int("n_actions", n_actions)
        sizes = architecture.layer_sizes(observation_size, n_actions)
        dtype = np.float64 if weights(0)[1].dtype == np.float64 else np.float32
        layers: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for i, shape in enumerate(itertools.pairwise(sizes)):
            for found, layer, part in ((weights(i), layers[0], shape), (biases(i), layers[1], shape[1:])):
                layer.append(_check_finite(found[0], check_array(*found, part, dtype)))
        return cls(architecture, observation_size, n_actions, *layers, normalizer)

    def check_finite(self) -> None:
        """Refuses what `checked` would refuse.

        Raises:
            ValueError: a weight is not finite.
        """
        parts: list[Contents | Part] = [self, *self.base]
        for one in parts:
            for kind, arrays in (("weights", one.weights), ("biases", one.biases)):
                for i, array in enumerate(arrays):
                    _check_finite(f"{kind}_{i}", array)


def found(entries: Mapping[str, Any], name: str) -> Any:
    """An entry of a file.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in entries:
        raise ValueError(f"it lacks {name}")
    return entries[name]


def _check_finite(name: str, array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is not finite")
    return array
