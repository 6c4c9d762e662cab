"""What a transfer is: a function that carries a network over to another architecture.

It is given a `Switch` and returns a `Carried`. A *layer* is a weight matrix with its bias. Layers of two networks are
paired by their place: hidden layers counted from the input, the linear head with the head. So 2x64 and 4x64 have hidden
layers 0 and 1 and the head in common; hidden layers 2 and 3 exist in the second alone. The activation plays no part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.errors import InputError, NonFiniteError
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Batch, Episodes, TransferReport
from nasdqn_fast.validation import check_bool, check_int, check_text, described

MEASURED_STATES = 128  # their mean is within 3 % of that over a whole memory, as 256 have it; 64: 7 %


class Replay(Protocol):
    """What a transfer may use of a ReplayBuffer of either backend."""

    def __len__(self) -> int: ...
    def transitions(self, ages: np.ndarray | None = None) -> Batch: ...


@dataclass(frozen=True, eq=False)
class Switch:
    """What a transfer is given.

    Args:
        old: the network in use, a ``QNetwork`` of either backend; to be left as it is.
        architecture: that of the network wanted.
        rng: the only source of randomness.
        replay: the replay memory, before it is pruned; to be left as it is.
        target: the target network of `old`; to be left as it is.
        optimizer: state of the optimizer of `old`, as its ``get_state`` returns it: ``kind``, ``steps``, and Adam's
            moments ``m`` and ``v``, float (P,) in the order of ``old.parameters``, or (0,) before the first step.
        settings: what the agent will train with: discount, batch size, learning rate, ... If the switch is to another
            kind of optimizer, too, it begins anew, whatever state of the old one is carried.
        play: (network, n) -> n greedy episodes of that network. Each call of one switch has the same starts, so that
            two networks can be compared. The environment steps are counted.
        learn: (network, n) -> state of the optimizer after n updates of that network, in place, from a copy of the
            memory; as the agent updates, with a target that starts as a copy and an optimizer that starts with no
            state. The updates are counted.
        options: the transfer's ``Options``, put in by `apply`.
    """

    old: Any
    architecture: Architecture
    rng: np.random.Generator
    replay: Replay
    target: Any
    optimizer: Mapping[str, Any]
    settings: AgentSettings
    play: Callable[[Any, int], Episodes]
    learn: Callable[[Any, int], Mapping[str, Any]]
    options: Any = None


@dataclass(frozen=True, eq=False)
class Carried:
    """What a transfer returns.

    Args:
        network: the new network, as ``old.like`` makes it.
        optimizer: state that the optimizer continues from, in the form of ``Switch.optimizer``; None resets it.
        accepted: False refuses the switch: network, target and optimizer stay as they are, and the controller is told.
        steps: environment steps spent; those of ``Switch.play`` are added to it.
        updates: updates of a network spent; those of ``Switch.learn`` are added to it.
        note: a line for the log.
        fold_after: of a network that is a sum (``plus``), environment steps of training after which the transfer is
            called once more to fold it: with a switch from the sum to the architecture that it has. None: at the end
            of the segment, by which it is folded in any case.
        shadow: episodes of training, at most, in which the old network acts while the new one learns.
        shadow_guard: greedy episodes by which it is found, five times on the way, whether the new network is no worse
            and takes over sooner; 0: it does not. Without a shadow it has no effect.
    """

    network: Any
    optimizer: Mapping[str, Any] | None = None
    accepted: bool = True
    steps: int = 0
    updates: int = 0
    note: str = ""
    fold_after: int | None = None
    shadow: int = 0
    shadow_guard: int = 0


def make(transfer: Any, options: Mapping[str, Any] | None = None) -> plugins.Function:
    """A transfer with its options.

    Args:
        transfer: a file of this folder (``matching``), ``module:attribute``, or the plug-in itself.
        options: by name; those not given have their defaults.

    Raises:
        InputError: unknown name or option, or not a function of one argument.
    """
    return plugins.function("transfers", transfer, "switch", options)


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


def is_worse(play: Callable[[Any, int], Episodes], old: Any, new: Any, n: int) -> tuple[bool, str]:
    """Whether a new network plays worse than an old one, by more than a standard error of the mean difference.

    Args:
        play: as `Switch.play`.
        old, new: networks.
        n: episodes.

    Returns:
        that, and a phrase for the log.
    """
    before, after = (play(network, n).returns for network in (old, new))
    difference = after - before
    error = difference.std() / np.sqrt(n)
    return bool(difference.mean() < -error), f"greedy return {after.mean():.1f} instead of {before.mean():.1f}"


def apply(transfer: plugins.Function, switch: Switch) -> tuple[Carried, TransferReport]:
    """Calls a transfer, checks what it returns, and measures it; measuring draws nothing.

    Args:
        transfer: as `make` returns it.
        switch: all but the options. Observations of its replay memory, evenly spaced in age, are where Q is compared.

    Returns:
        what the transfer returned, and the report; of a refused switch, the old network's with itself.

    Raises:
        InputError: it returned no `Carried`, or one whose network does not map the same observations to the same
            actions.
        NonFiniteError: a Q-value of either network is NaN or infinite.
    """
    old = switch.old
    carried = _checked(transfer.name, transfer.call(replace(switch, options=transfer.options)), old)
    new = carried.network if carried.accepted else old
    equal = sum(np.count_nonzero(source == target) for source, target in leading_blocks(old, new))
    kept = equal / new.architecture.parameter_count(*_ends(new))
    changes = _q_changes(old, new, switch.replay)
    if changes is not None and not np.isfinite(changes).all():
        raise NonFiniteError(f"non-finite Q-value at the switch to {switch.architecture}: lower learning_rate")
    mean, largest = (None, None) if changes is None else (float(changes.mean()), float(changes.max()))
    return carried, TransferReport(kept, mean, largest, carried.accepted, carried.steps, carried.updates, carried.note)


def _q_changes(old: BaseNetwork, new: BaseNetwork, replay: Replay) -> np.ndarray | None:
    if not len(replay):
        return None
    spaced = np.linspace(0, len(replay) - 1, min(len(replay), MEASURED_STATES), dtype=np.int64)
    states = replay.transitions(spaced).observations
    with np.errstate(over="ignore", invalid="ignore"):  # reported by the caller
        return np.abs(new.forward(states).astype(np.float64) - old.forward(states))


def _checked(name: str, carried: Any, old: BaseNetwork) -> Carried:
    if not isinstance(carried, Carried):
        raise InputError(f"transfer {name!r} must return a Carried; got {described(carried)}; return Carried(network)")
    try:
        carried = replace(
            carried,
            accepted=check_bool("accepted", carried.accepted),
            steps=check_int("steps", carried.steps, 0),
            updates=check_int("updates", carried.updates, 0),
            note=check_text("note", carried.note),
            shadow=check_int("shadow", carried.shadow, 0),
            shadow_guard=check_int("shadow_guard", carried.shadow_guard, 0),
            fold_after=None if carried.fold_after is None else check_int("fold_after", carried.fold_after, 1),
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"transfer {name!r} must return a valid Carried: {error}") from None
    new = carried.network
    if carried.accepted and (not isinstance(new, type(old)) or _ends(new) != _ends(old)):
        raise InputError(
            f"transfer {name!r} must return a {type(old).__name__} of {_ends(old)[0]} observations "
            f"and {_ends(old)[1]} actions, as old.like makes it; got {described(new)}"
        )
    return carried


def _ends(network: BaseNetwork) -> tuple[int, int]:
    return network.observation_size, network.n_actions
