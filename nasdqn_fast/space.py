"""Architectures and the spaces that a controller searches.

An architecture is c = (L, U, sigma) of Rahmani et al. 2025 (arXiv:2510.19872), section 2.2,
with one width a layer instead of one for all. Text form: ``3x64-relu`` or, for unequal widths,
``64,32-tanh``. A setup is an architecture and how it is trained: ``3x64-relu+adam+lr=0.001``.
"""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.errors import BadArgument, WrongType, suggest

ACTIVATIONS = ("relu", "tanh", "leaky_relu")
LEAKY_SLOPE = 0.01  # of leaky_relu below zero
_TEXT = re.compile(r"(?:(?P<depth>\d+)x(?P<width>\d+)|(?P<widths>\d+(?:,\d+)*))-(?P<activation>\w+)")
_FORM = "write it as 3x64-relu or 64,32-tanh"
_RATE = "lr="  # in the text of a setup, before its learning rate
# 2**20 units a layer are 4 TB of weights between two of them: a typing error, and an overflow in
# the sizes if it came further.
MAX_WIDTH = 1 << 20
MAX_DEPTH = 1 << 10


def _whole(name: str, value: int) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {value!r}; {_FORM}") from None


def _check_depth(depth: int) -> None:
    if not 1 <= depth <= MAX_DEPTH:
        raise ValueError(f"an architecture needs 1 to {MAX_DEPTH} hidden layers, got {depth}; {_FORM}")


@dataclass(frozen=True, order=True)
class Architecture:
    """A multilayer perceptron's hidden layers; input and output sizes come from the environment.

    Args:
        widths: units of each hidden layer, at least one layer, each >= 1.
        activation: ``relu``, ``tanh`` or ``leaky_relu`` (slope 0.01), the same for all layers.

    Raises:
        TypeError: a width that is not a whole number.
        ValueError: no layer, a width out of range or an unknown activation.
    """

    widths: tuple[int, ...]
    activation: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(_whole("width", width) for width in self.widths))
        _check_depth(len(self.widths))
        for width in self.widths:
            if not 1 <= width <= MAX_WIDTH:
                raise ValueError(f"a layer needs 1 to {MAX_WIDTH} units, got {width}; {_FORM}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {self.activation!r}: {suggest(str(self.activation), ACTIVATIONS)}")

    @classmethod
    def uniform(cls, depth: int, width: int, activation: str) -> Architecture:
        """`depth` hidden layers of `width` units, as in the paper.

        Raises:
            TypeError, ValueError: as the constructor.
        """
        _check_depth(_whole("depth", depth))  # before the tuple is built: 10**12 layers would fill the memory first
        return cls((width,) * depth, activation)

    @classmethod
    def parse(cls, text: str | Architecture) -> Architecture:
        """Reads the text form; an Architecture passes unchanged, and of a `Setup` its architecture.

        Raises:
            TypeError: neither a string nor an Architecture.
            ValueError: malformed text.
        """
        if isinstance(text, Architecture):
            return text.trained() if isinstance(text, Setup) else text
        if not isinstance(text, str):
            raise WrongType("architecture", "a string or an Architecture", type(text).__name__, _FORM)
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"malformed architecture {text!r}: {_FORM}")
        if match["depth"]:
            return cls.uniform(int(match["depth"]), int(match["width"]), match["activation"])
        return cls(tuple(int(width) for width in match["widths"].split(",")), match["activation"])

    @property
    def depth(self) -> int:
        """Number of hidden layers, L in the paper."""
        return len(self.widths)

    @property
    def training(self) -> tuple[tuple[str, Any], ...]:
        """How it is trained, as pairs of a setting of [agent] and its value; none unless it is a `Setup`."""
        return ()

    def trained(self, optimizer: str | None = None, learning_rate: float | None = None) -> Architecture:
        """The same layers as a `Setup` that is trained so; without either, the layers alone."""
        if optimizer is None and learning_rate is None:
            return Architecture(self.widths, self.activation)
        return Setup(self.widths, self.activation, optimizer, learning_rate)

    def get_state(self) -> dict[str, Any]:
        """Plain JSON values: ``architecture``, the text of the layers, and of a Setup how it is trained."""
        return {"architecture": str(self.trained()), **dict(self.training)}

    def layer_sizes(self, observation_size: int, n_actions: int) -> tuple[int, ...]:
        """Units of every layer, input and output included: depth + 2 numbers."""
        return (observation_size, *self.widths, n_actions)

    def parameter_count(self, observation_size: int, n_actions: int) -> int:
        """Weights and biases."""
        sizes = self.layer_sizes(observation_size, n_actions)
        return sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(sizes))

    def __str__(self) -> str:
        if len(set(self.widths)) == 1:
            return f"{self.depth}x{self.widths[0]}-{self.activation}"
        return f"{','.join(map(str, self.widths))}-{self.activation}"


@dataclass(frozen=True, order=True)
class Setup(Architecture):
    """An architecture, and how it is trained: what a search chooses where it chooses more than the layers.

    Two setups of the same layers are two choices, and neither equals the architecture alone.

    Args:
        widths, activation: as of an Architecture.
        optimizer: its name, as ``adam``; None: that of the agent's settings.
        learning_rate: > 0; None: that of the agent's settings, or the optimizer's default.

    Raises:
        TypeError, ValueError: as Architecture.
    """

    optimizer: str | None = None
    learning_rate: float | None = None

    @property
    def training(self) -> tuple[tuple[str, Any], ...]:
        """How it is trained, as pairs of a setting of [agent] and its value."""
        both = (("optimizer", self.optimizer), ("learning_rate", self.learning_rate))
        return tuple((name, value) for name, value in both if value is not None)

    def __str__(self) -> str:
        shown = (value if name == "optimizer" else f"{_RATE}{value!r}" for name, value in self.training)
        return "+".join([super().__str__(), *shown])


def parse_setup(text: str | Architecture) -> Architecture:
    """Reads the text form of a setup, or of an architecture; either as such passes unchanged.

    Raises:
        TypeError, ValueError: as `Architecture.parse`, or a learning rate that is no number.
    """
    if isinstance(text, Architecture):
        return text
    layers, *training = text.split("+") if isinstance(text, str) else [text]
    architecture = Architecture.parse(layers)
    if not training:
        return architecture
    optimizer, rate = None, None
    for part in training:
        if part.startswith(_RATE) and rate is None:
            rate = float(part.removeprefix(_RATE))
        elif part and optimizer is None and rate is None:
            optimizer = part
        else:
            raise ValueError(f"malformed setup {text!r}: write it as 3x64-relu+adam+lr=0.001")
    return architecture.trained(optimizer, rate)


def check_architecture(name: str, value: Any) -> str:
    """The text form of an architecture, given as such or as an Architecture.

    Raises:
        TypeError, ValueError: as `Architecture.parse`.
    """
    try:
        return str(Architecture.parse(value))
    except BadArgument as error:
        error.name = name
        raise


class SearchSpace(Sequence[Architecture]):
    """A finite, ordered set of architectures, or of setups.

    Args:
        architectures: Architectures, Setups or their text forms; duplicates are dropped.

    Raises:
        TypeError: one architecture's text instead of several.
        ValueError: empty, or a malformed architecture.
    """

    def __init__(self, architectures: Iterable[Architecture | str]) -> None:
        if isinstance(architectures, str):
            raise TypeError(f"architectures must be several, got the text {architectures!r}; write [{architectures!r}]")
        self._architectures = tuple(dict.fromkeys(parse_setup(a) for a in architectures))
        if not self._architectures:
            raise ValueError("the search space is empty; give at least one architecture, as 3x64-relu")

    @classmethod
    def grid(cls, depths: Iterable[int], widths: Iterable[int], activations: Iterable[str]) -> SearchSpace:
        """All combinations, depth varying slowest."""
        return cls(Architecture.uniform(d, u, s) for d, u, s in itertools.product(depths, widths, activations))

    @classmethod
    def paper(cls) -> SearchSpace:
        """The 27 architectures of Rahmani et al. 2025, section 2.3.2."""
        return cls.grid((2, 3, 4), (32, 64, 128), ACTIVATIONS)

    def trained(self, optimizers: Sequence[str] = (), learning_rates: Sequence[float] = ()) -> SearchSpace:
        """Each architecture with each of the optimizers and each of the learning rates, these varying fastest.

        Args:
            optimizers, learning_rates: to choose from; without any, that of the agent's settings.
        """
        if not optimizers and not learning_rates:
            return self
        ways = list(itertools.product(optimizers or (None,), learning_rates or (None,)))
        return SearchSpace(a.trained(*way) for a in self for way in ways)

    def axes(self) -> dict[str, tuple[Any, ...]] | None:
        """``depth``, ``width`` and ``activation`` with their values, if the space is all combinations of these."""
        if any(len(set(architecture.widths)) > 1 or architecture.training for architecture in self):
            return None
        columns = zip(*((a.depth, a.widths[0], a.activation) for a in self), strict=True)
        depths, widths, activations = (tuple(dict.fromkeys(column)) for column in columns)
        if len(depths) * len(widths) * len(activations) != len(self):
            return None
        return {"depth": depths, "width": widths, "activation": activations}

    def sample(self, rng: np.random.Generator) -> Architecture:
        """One architecture, uniformly: one bounded integer of `rng`."""
        return self._architectures[int(rng.integers(len(self._architectures)))]

    def __getitem__(self, index):  # type: ignore[override]
        return self._architectures[index]

    def __len__(self) -> int:
        return len(self._architectures)

    def __iter__(self) -> Iterator[Architecture]:
        return iter(self._architectures)

    def __contains__(self, architecture: object) -> bool:
        return architecture in self._architectures

    def __repr__(self) -> str:
        return f"SearchSpace({', '.join(map(str, self._architectures))})"
