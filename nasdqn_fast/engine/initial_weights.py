"""The initial weights of a network, for both backends: the paper's (arXiv:2510.19872, section 2.2.2), or PyTorch's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasdqn_fast.validation import check_choice, check_real

INITS = ("paper", "torch")


@dataclass(frozen=True)
class InitialWeights:
    """How a new network starts, and those that `like` makes from it.

    Args:
        init: ``paper``: normal weights of He's or Glorot's variance, zero biases; ``torch``: weights and biases
            U(-b, b), b = 1 / sqrt(n_in), as ``torch.nn.Linear``.
        head_scale: >= 0, factor of the last layer's weights and biases.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
    """

    init: str = "paper"
    head_scale: float = 1.0

    def __post_init__(self) -> None:
        check_choice("init", self.init, INITS)
        object.__setattr__(self, "head_scale", check_real("head_scale", self.head_scale, 0))

    def draw(
        self, weights: Sequence[np.ndarray], biases: Sequence[np.ndarray], activation: str, rng: np.random.Generator
    ) -> None:
        """Writes the weights, and the biases, which are zero.

        Args:
            weights, biases: float (n_in, n_out) and (n_out,), one a layer. Those in float64 get the numbers that those
                in float32 would.
            activation: of the hidden layers.
            rng: drawn from.
        """
        if self.init == "torch":
            for matrix, vector in zip(weights, biases, strict=True):
                bound = np.float32(1 / np.sqrt(len(matrix)))
                for part in (matrix, vector):
                    part[...] = bound * (2 * rng.random(part.shape, dtype=np.float32) - 1)
        else:
            draw(weights, activation, rng)
        if self.head_scale != 1:
            for part in (weights[-1], biases[-1]):
                part[...] = np.float32(self.head_scale) * part.astype(np.float32)


PAPER = InitialWeights()


def draw(weights: Sequence[np.ndarray], activation: str, rng: np.random.Generator) -> None:
    """Normal weights of variance 2 / n_in for ReLU and Leaky ReLU (He), 2 / (n_in + n_out) for tanh (Glorot).

    Args:
        weights: written to; float (n_in, n_out), one a layer. A float64 one gets the numbers that a float32 one would.
        activation: of the hidden layers.
        rng: drawn from, once for all layers.
    """
    normal = standard_normal(sum(matrix.size for matrix in weights), rng)
    start = 0
    for matrix in weights:
        n_in, n_out = matrix.shape
        variance = 2 / (n_in + n_out) if activation == "tanh" else 2 / n_in
        drawn = normal[start : start + matrix.size].reshape(matrix.shape)
        np.multiply(drawn, np.float32(np.sqrt(variance)), out=matrix)
        start += matrix.size


def standard_normal(n: int, rng: np.random.Generator) -> np.ndarray:
    """Standard normal numbers, float32 (n,), within +-5.8: Box & Muller 1958.

    A switch to a large network waits for these. `Generator.standard_normal`, one number at a time, takes three times as
    long.

    Args:
        n: how many.
        rng: 2 ceil(n / 2) uniforms are drawn.
    """
    u, v = rng.random((2, -(-n // 2)), dtype=np.float32)
    radius = np.sqrt(-2 * np.log(1 - u))  # u may be 0, but never 1
    angle = np.float32(2 * np.pi) * v
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n]
