"""Textbook operation counts of a network: two operations for each multiply-add; what kernels save is not subtracted."""

from __future__ import annotations

import itertools

from nasdqn_fast.space import Architecture


def macs(architecture: Architecture, observation_size: int, n_actions: int) -> int:
    """Multiply-adds of one row's forward pass; biases and activations are not counted."""
    sizes = architecture.layer_sizes(observation_size, n_actions)
    return sum(n_in * n_out for n_in, n_out in itertools.pairwise(sizes))


def forward_flop(architecture: Architecture, observation_size: int, n_actions: int, rows: int) -> int:
    """Operations of a forward pass."""
    return 2 * rows * macs(architecture, observation_size, n_actions)


def update_flop(
    architecture: Architecture, observation_size: int, n_actions: int, batch: int, *, double: bool = True
) -> int:
    """Operations of an update.

    Three forward passes (Q of s, the target's Q of s', and, with Double DQN, Q of s'), the gradient of the weights, and
    the gradient of the inputs of all layers but the first.
    """
    inputs_of_first = observation_size * architecture.widths[0]
    passes = 5 if double else 4
    return 2 * batch * (passes * macs(architecture, observation_size, n_actions) - inputs_of_first)
