"""What the native Q-network and its NumPy twin have in common: everything but the arithmetic."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple, Self, cast

import numpy as np
from numpy.typing import ArrayLike

from nasdqn_fast.copying import Independent
from nasdqn_fast.engine import network_file
from nasdqn_fast.engine.initial_weights import InitialWeights
from nasdqn_fast.engine.network_contents import Contents, Part
from nasdqn_fast.errors import InputError, NonFiniteError, WrongType
from nasdqn_fast.space import Architecture
from nasdqn_fast.validation import check_all_finite, check_array, check_instance, described


class Frozen(NamedTuple):
    """A network that does not learn, as a part of another's Q-values; its sign is 1 or -1."""

    network: Any
    sign: float


class BaseNetwork(Independent, ABC):
    """A Q-network's shape, parameters and file; all that a transfer may use.

    Attributes:
        architecture, observation_size, n_actions: its shape.
        initial: how the weights were drawn that it started with, and are in networks that `like` makes.
    """

    architecture: Architecture
    observation_size: int
    n_actions: int
    initial: InitialWeights
    normalizer_type: ClassVar[Any]  # the backend's
    optimizer_type: ClassVar[Any]
    _base: tuple[tuple[Any, float], ...]  # networks that nobody else uses, and their signs

    def __repr__(self) -> str:
        sizes = f"{self.observation_size} -> {self.n_actions}"
        count = self.architecture.parameter_count(self.observation_size, self.n_actions)
        base = "".join(f" {'+-'[sign < 0]} {network.architecture}" for network, sign in self._base)
        return f"<{type(self).__name__} {self.architecture}{base}, {sizes}: {count:,} parameters>"

    @property
    @abstractmethod
    def weights(self) -> list[np.ndarray]:
        """Writable views, (n_in, n_out), one a layer; a write is seen by the next call."""

    @property
    @abstractmethod
    def biases(self) -> list[np.ndarray]:
        """Writable views, (n_out,), one a layer."""

    @property
    @abstractmethod
    def parameters(self) -> np.ndarray:
        """A read-only copy of all parameters, (P,): W0, b0, W1, b1, ...; assigning sets them."""

    @parameters.setter
    @abstractmethod
    def parameters(self, value: np.ndarray) -> None: ...

    @property
    @abstractmethod
    def normalizer(self) -> Any:
        """The backend's ``Normalizer``, which observations go through first; None: they are used as they are."""

    @normalizer.setter
    @abstractmethod
    def normalizer(self, value: Any) -> None: ...

    def set_normalizer_state(self, state: Mapping[str, Any] | None) -> None:
        """A new normalizer that continues from a state of another one's; None: none.

        Raises:
            KeyError, TypeError, ValueError: not a valid state; nothing was changed.
        """
        normalizer = None if state is None else self.normalizer_type(self.observation_size)
        if normalizer is not None:
            normalizer.set_state(state)
        self.normalizer = normalizer

    @property
    def base(self) -> tuple[Frozen, ...]:
        """Copies of the networks whose Q-values, times their signs, are added to its own; none, but after `plus`."""
        return tuple(Frozen(network.copy(), sign) for network, sign in self._base)

    def plus(self, base: Iterable[tuple[Self, float]]) -> Self:
        """An equal network to whose Q-values those of other networks are added; it alone can learn.

        Plasticity injection (Nikishin et al. 2023, arXiv:2305.15555): ``new.plus([(new, -1), (old, 1)])`` has the
        Q-values of ``old`` until ``new`` learns. Weights, biases, parameters and gradients are those of the network's
        own part; everything that asks for Q-values gets the sum.

        Args:
            base: networks of the same backend, observations and actions, which are copied, and their signs, 1 or -1.
                They are added in this order, and see observations as this network does.

        Raises:
            TypeError, ValueError: not such networks or signs.
        """
        added = self.base
        for network, sign in base:
            check_instance("base", network, type(self), "add networks of the same backend")
            if (network.observation_size, network.n_actions) != (self.observation_size, self.n_actions):
                raise ValueError(
                    f"base must map {self.observation_size} numbers to {self.n_actions} Q-values, as the network; "
                    f"got {network.observation_size} to {network.n_actions}"
                )
            if sign not in (1, -1):
                raise ValueError(f"the sign of a network in base must be 1 or -1; got {sign!r}")
            parts = (Frozen(network.alone(), 1.0), *network.base)
            added += tuple(Frozen(part, float(sign * own)) for part, own in parts)
        result = self.alone()
        result._use_base(added)
        return result

    def check_alone(self) -> None:
        """Refuses a sum, which has no form outside this package.

        Raises:
            InputError: the network has a base.
        """
        if self._base:
            raise InputError(
                f"the network is a sum of {1 + len(self._base)} networks (transfer inject), which has no form outside "
                "this package; take one from the end of a segment, where a run has fitted one network to the sum"
            )

    @abstractmethod
    def _use_base(self, base: tuple[tuple[Any, float], ...]) -> None:
        """Adds the Q-values of networks that nobody else uses, times their signs, from now on."""

    def base_state(self) -> list[dict[str, Any]]:
        """What `restore` needs of the base."""
        return [
            {"architecture": str(network.architecture), "parameters": network.parameters, "sign": sign}
            for network, sign in self._base
        ]

    def restore(
        self,
        parameters: np.ndarray,
        normalizer: Mapping[str, Any] | None = None,
        base: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """Continues from what a saved state holds of a network of this shape.

        Args:
            parameters: (P,).
            normalizer: its state; None: none.
            base: as `base_state` returns it.

        Raises:
            KeyError, TypeError, ValueError: not those of this shape, or not a valid state.
        """
        added = []
        for part in base:
            architecture, sign = Architecture.parse(part["architecture"]), part["sign"]
            # Before the network is made: a few characters could ask for more memory than there is.
            if len(part["parameters"]) != architecture.parameter_count(self.observation_size, self.n_actions):
                raise ValueError(f"the {len(part['parameters'])} parameters in base are not those of {architecture}")
            if sign not in (1, -1):
                raise ValueError(f"the sign of a network in base must be 1 or -1; got {sign!r}")
            network = self.like(architecture, None)
            network.parameters = check_all_finite("base", part["parameters"])
            added.append((network, float(sign)))
        self.parameters = parameters
        self._use_base(tuple(added))
        self.set_normalizer_state(normalizer)

    @abstractmethod
    def forward(self, x: np.ndarray) -> np.ndarray:
        """Q-values (N, n_actions) of observations x (N, observation_size)."""

    def predict(self, observation: ArrayLike) -> int | np.ndarray:
        """The greedy action for an observation, or the actions for a batch: the lowest of equals.

        ``action = network.predict(observation)`` goes where a Stable-Baselines3 model has
        ``action, _ = model.predict(observation, deterministic=True)``.

        Args:
            observation: real numbers (observation_size,) for one action, an int; (N, observation_size) for int64 (N,).
                They are rounded to float32, in which networks compute.

        Raises:
            TypeError, ValueError: of the wrong type or shape, or not finite.
            NonFiniteError: a Q-value is not finite.
        """
        given = np.asarray(observation)
        if given.dtype.kind not in "fiub":
            expected = f"real numbers of shape ({self.observation_size},) or (N, {self.observation_size})"
            raise WrongType("observation", expected, described(observation))
        with np.errstate(over="ignore"):  # what is infinite then is refused
            rows = given.astype(np.float32)
        one = rows.ndim == 1
        shape: tuple[int | str, ...] = (self.observation_size,) if one else ("N", self.observation_size)
        rows = check_all_finite("observation", check_array("observation", rows, shape, np.float32))
        q = self.q_values(rows[None] if one else rows)
        if not np.isfinite(q).all():
            raise NonFiniteError("a Q-value is not finite: the network has diverged, or the observation is too large")
        actions = np.argmax(q, axis=1)
        return int(actions[0]) if one else actions

    def q_values(self, rows: np.ndarray) -> np.ndarray:
        """Q-values of float32 observations, whatever the network's own dtype is."""
        return self.forward(rows)

    @abstractmethod
    def fit(
        self, x: np.ndarray, q: np.ndarray, rows: np.ndarray, optimizer: Any, difference_weight: float = 1.0
    ) -> float:
        """Steps of an optimizer towards given Q-values of all actions."""

    @abstractmethod
    def like(self, architecture: str | Architecture, rng: int | np.random.Generator | None = 0) -> Self:
        """A new network of the same kind between the same observations and actions, with a copy of the normalizer."""

    def _normalizing_too(self, other: Self) -> Self:
        """Gives the other network a copy of this one's normalizer."""
        other.normalizer = None if self.normalizer is None else self.normalizer.copy()
        return other

    def copy(self) -> Self:
        """An independent copy of the network, and of the frozen networks of a sum."""
        other = self.alone()
        if self._base:
            other._use_base(self.base)
        return other

    def alone(self) -> Self:
        """A copy without a base."""
        other = self.like(self.architecture, None)
        other.copy_from(self)
        return other

    def copy_from(self, other: Self) -> None:
        """w <- the parameters of `other`, which has the same shape; no base is copied.

        Raises:
            ValueError: it has another one.
        """
        shape = (other.architecture, other.observation_size, other.n_actions)
        if shape != (self.architecture, self.observation_size, self.n_actions):
            raise ValueError(
                f"other must be {self.architecture} from {self.observation_size} to {self.n_actions}; "
                f"got {shape[0]} from {shape[1]} to {shape[2]}; use a transfer to cross architectures"
            )
        self._copy_parameters(other)

    @abstractmethod
    def _copy_parameters(self, other: Self) -> None:
        """The same, of a network that is known to have this shape."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a network file, which both backends read: safetensors, with tensors as PyTorch has them.

        Args:
            path: the file, which is replaced; one that ends in ``.npz`` is an npz archive, as earlier versions wrote.

        Raises:
            ValueError: a weight is not finite, which `load` would refuse; nothing was written.
            OSError: the folder is missing or not writable.
        """
        shape = (self.architecture, self.observation_size, self.n_actions)
        normalizer = None if self.normalizer is None else self.normalizer.get_state()
        base = [Part(n.architecture, n.weights, n.biases, sign) for n, sign in self._base]
        network_file.save(path, Contents(*shape, self.weights, self.biases, normalizer, base))

    @classmethod
    def load(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """Reads a network file, safetensors or npz; a damaged one is an InputError that names it.

        Args:
            path: the file.
            **options: further arguments of the constructor.
        """
        *shape, weights, biases, normalizer, base = network_file.load(path)
        network = cast(Any, cls)(*shape, None, **options)
        _write(network, weights, biases)
        added = []
        for part in base:
            frozen = network.like(part.architecture, None)
            _write(frozen, part.weights, part.biases)
            added.append((frozen, part.sign))
        network._use_base(tuple(added))
        try:
            network.set_normalizer_state(normalizer)
        except (TypeError, ValueError) as error:
            raise network_file.unreadable(path, error) from error
        return network


def _write(network: BaseNetwork, weights: list[np.ndarray], biases: list[np.ndarray]) -> None:
    for view, array in zip(network.weights + network.biases, weights + biases, strict=True):
        view[...] = array
