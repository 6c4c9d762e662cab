"""The initial weights of a network, for both backends (Rahmani et al. 2025, arXiv:2510.19872, section 2.2.2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


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
