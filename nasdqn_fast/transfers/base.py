"""What a transfer is: a callable that carries a network's weights over to another architecture.

A *layer* is a weight matrix with its bias. Layers of two networks are paired by their place: hidden
layers counted from the input, the linear head with the head. So 2x64 and 4x64 have hidden layers 0
and 1 and the head in common; hidden layers 2 and 3 exist in the second alone. The activation plays
no part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.errors import InputError, NonFiniteError
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Batch, TransferReport
from nasdqn_fast.validation import described

MEASURED_STATES = 128  # their mean is within 3 % of that over a whole memory, as 256 have it; 64: 7 %


class Replay(Protocol):
    """What the report needs of a ReplayBuffer of either backend."""

    def __len__(self) -> int: ...
    def transitions(self, ages: np.ndarray) -> Batch: ...


N = TypeVar("N", bound=BaseNetwork)

# (old network, architecture of the new one, generator) -> new network. The generator is its only
# source of randomness; the old network stays as it is.
Transfer = Callable[[N, Architecture, np.random.Generator], N]


def find(name: str | Transfer[Any]) -> Transfer[Any]:
    """The transfer of that name.

    Args:
        name: a file of this folder (``matching``), ``module:attribute``, or the function itself.

    Raises:
        InputError: unknown name, or no function of these three arguments.
    """
    transfer: Any = plugins.find("transfers", name) if isinstance(name, str) else name
    shown = name if isinstance(name, str) else plugins.name_of(name)
    plugins.check_takes(f"transfer {shown!r}", transfer, ("old", "architecture", "rng"))
    return transfer


def paired_layers(old: BaseNetwork, new: BaseNetwork) -> list[tuple[int, int]]:
    """Indices (in old, in new) of the layers that have the same place, from the input to the head."""
    old_head, new_head = len(old.weights) - 1, len(new.weights) - 1
    return [(i, i) for i in range(min(old_head, new_head))] + [(old_head, new_head)]


def leading_blocks(old: BaseNetwork, new: BaseNetwork) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Views (of old, of new) of the leading block that paired layers have in common: weights, then bias."""
    for i, j in paired_layers(old, new):
        for source, target in ((old.weights[i], new.weights[j]), (old.biases[i], new.biases[j])):
            block = tuple(slice(min(sizes)) for sizes in zip(source.shape, target.shape, strict=True))
            yield source[block], target[block]


def apply(
    transfer: Transfer[N], old: N, architecture: Architecture, rng: np.random.Generator, replay: Replay
) -> tuple[N, TransferReport]:
    """Makes the switch and measures it; measuring draws nothing.

    Args:
        transfer: as `find` gives it.
        old: the network in use; not changed.
        architecture: that of the new network.
        rng: the transfer's stream.
        replay: its observations, evenly spaced in age, are where Q is compared.

    Raises:
        InputError: what the transfer gave is no network between the same observations and actions.
        NonFiniteError: a Q-value of either is NaN or infinite.
    """
    new = transfer(old, architecture, rng)
    if not isinstance(new, type(old)) or _ends(new) != _ends(old):
        raise InputError(
            f"transfer {plugins.name_of(transfer)} must return a {type(old).__name__} of {_ends(old)[0]} observations "
            f"and {_ends(old)[1]} actions, as old.like makes it; got {described(new)}"
        )
    equal = sum(np.count_nonzero(source == target) for source, target in leading_blocks(old, new))
    kept = equal / new.architecture.parameter_count(*_ends(new))
    if not len(replay):
        return new, TransferReport(kept, None, None)
    spaced = np.linspace(0, len(replay) - 1, min(len(replay), MEASURED_STATES), dtype=np.int64)
    states = replay.transitions(spaced).observations
    with np.errstate(over="ignore", invalid="ignore"):  # reported below
        change = np.abs(new.forward(states).astype(np.float64) - old.forward(states))
    if not np.isfinite(change).all():
        raise NonFiniteError(f"non-finite Q-value at the switch to {architecture}: lower learning_rate")
    return new, TransferReport(kept, float(change.mean()), float(change.max()))


def _ends(network: BaseNetwork) -> tuple[int, int]:
    return network.observation_size, network.n_actions
