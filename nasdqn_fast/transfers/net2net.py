"""Function-preserving widening and deepening: the new network has the Q-values of the old one.

Net2Net (Chen, Goodfellow & Shlens 2016, arXiv:1511.05641). New units are not copies of old ones: what they listen to is
fresh and what says them on is zero, as in AgileRL since August 2026, so that they are neither duplicates nor heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.plugins import option
from nasdqn_fast.transfers._features import activated, hidden, inputs, layer
from nasdqn_fast.transfers.base import Carried, Replay, Switch

STATES = 1_024  # of the memory, on which units are looked at


class Net2Net:
    """Widens and deepens without moving Q, and falls back where that cannot be.

    - A wider layer keeps its units; the new ones have fresh incoming and zero outgoing weights. Exact. A new rectifier
      that is silent on all states of the memory has its sign turned.
    - A deeper network gets new layers between its last hidden layer and its head, which hand the old units on. Exact
      for ReLU. For Leaky ReLU too, by a bias that lifts them above zero, and is taken off in the head, over the box
      of the memory's observations, three times as wide. Of tanh, small values are nearly handed on.
    - A narrower layer keeps the units with the largest outgoing weights. Of a shorter network, the last hidden layers
      are missing, and the head keeps its leading block. Another activation takes the weights as they are. None of
      these preserves Q, and the note says which it was.

    Adam's moments go with the weights where Q is preserved; new weights have none.
    """

    @dataclass(frozen=True)
    class Options:
        tanh_slope: float = option(
            0.1,
            "weight by which a new tanh layer hands a unit on: the less, the more exact, and the larger the head",
            "this package",
            minimum=1e-3,
            maximum=1,
        )

    def __call__(self, switch: Switch) -> Carried:
        return grown(switch, switch.options.tanh_slope)[0]


plugin = Net2Net


def grown(switch: Switch, tanh_slope: float) -> tuple[Carried, bool]:
    """The network, and whether Q is preserved."""
    plan = Plan.of(switch.old, switch)
    new = switch.old.like(switch.architecture, switch.rng)
    plan.place(switch.old, new)
    states = some_states(switch.replay, STATES)
    plan.wake(new, states)
    plan.deepen(switch.old, new, states, tanh_slope)
    preserved = not plan.losses
    note = "" if preserved else f"Q is not preserved: {', '.join(plan.losses)}"
    return Carried(new, plan.moments(switch) if preserved else None, note=note), preserved


def some_states(replay: Replay, n: int) -> np.ndarray:
    """Up to n observations of the memory, evenly spaced in age."""
    ages = np.linspace(0, len(replay) - 1, min(len(replay), n), dtype=np.int64)
    return replay.transitions(ages).observations


@dataclass(frozen=True, eq=False)
class Plan:
    """Which unit of the old network goes where.

    Args:
        kept: of each hidden layer that both networks have, the old units, in the places that they have in the new one.
        inserted: indices of the new network's hidden layers that the old one has not.
        losses: why Q is not preserved, in words.
    """

    kept: list[np.ndarray]
    inserted: range
    losses: list[str]

    @classmethod
    def of(cls, old: BaseNetwork, switch: Switch) -> Plan:
        new, losses = switch.architecture, []
        before, after = old.architecture, switch.architecture
        if old.base:
            losses.append("the networks that were added to the old one are missing")
        if before.activation != after.activation:
            losses.append(f"{before.activation} became {after.activation}")
        kept = []
        for i, (m, n) in enumerate(zip(before.widths, after.widths, strict=False)):
            if n < m:
                losses.append(f"hidden layer {i + 1} has {n} units instead of {m}")
            heard = np.abs(old.weights[i + 1]).sum(axis=1, dtype=np.float64)
            kept.append(np.arange(m) if n >= m else np.sort(np.argsort(-heard, kind="stable")[:n]))
        inserted = range(before.depth, after.depth)
        if after.depth < before.depth:
            losses.append(f"hidden layers {after.depth + 1} to {before.depth} are missing")
        elif inserted and min(after.widths[i] for i in inserted) < len(kept[-1]):
            losses.append(f"a new layer has fewer units than the {len(kept[-1])} that it hands on")
        elif inserted and new.activation == "tanh":
            losses.append("a new tanh layer bends what it hands on")
        return cls(kept, inserted, losses)

    def place(self, old: BaseNetwork, new: BaseNetwork) -> None:
        """Writes the old weights to their new places, and zeros where new units would be heard by old ones."""
        rows = np.arange(old.observation_size)
        for i, columns in enumerate(self.kept):
            _place(old, i, rows, columns, new, i)
            rows = columns
        if self.inserted:
            return  # the head is deepen's
        if new.architecture.depth < old.architecture.depth:
            rows = np.arange(min(len(old.weights[-1]), len(new.weights[-1])))
        _place(old, -1, rows, np.arange(old.n_actions), new, -1)

    def wake(self, new: BaseNetwork, states: np.ndarray) -> None:
        """Turns the sign of what new rectifiers listen to, if they are silent on all states."""
        if new.architecture.activation == "tanh" or not len(states):
            return
        h = inputs(new, states)
        for i in range(new.architecture.depth):
            first = len(self.kept[i]) if i < len(self.kept) else 0
            silent = first + np.flatnonzero((layer(new, i, h)[:, first:] <= 0).all(axis=0))
            new.weights[i][:, silent] *= -1
            new.biases[i][silent] *= -1
            h = layer(new, i, h)

    def deepen(self, old: BaseNetwork, new: BaseNetwork, states: np.ndarray, tanh_slope: float) -> None:
        """Makes the inserted layers hand the old units on, and the head undo what they do to them."""
        if not self.inserted:
            return
        n = min(len(self.kept[-1]), *(new.architecture.widths[i] for i in self.inserted))
        first, is_tanh = self.inserted[0], new.architecture.activation == "tanh"
        lift = np.zeros(n)
        if new.architecture.activation == "leaky_relu":
            lift = np.maximum(0.0, -_lowest(old, states)[self.kept[-1][:n]])
        for i in self.inserted:
            handed_on = tanh_slope if is_tanh and i == first else 1.0
            new.weights[i][:, :n] = 0
            new.weights[i][:n, :n] = handed_on * np.eye(n)
            new.biases[i][:n] = lift if i == first else 0
        gain = _gains(old, new, self.kept[-1][:n], states, tanh_slope) if is_tanh else np.ones(n)
        head = old.weights[-1][self.kept[-1][:n]].astype(np.float64) * gain[:, None]
        new.weights[-1][...] = 0
        new.weights[-1][:n] = head
        new.biases[-1][...] = old.biases[-1] - lift @ head

    def moments(self, switch: Switch) -> Mapping[str, Any]:
        """The optimizer's state with each moment at the place of its weight, and zero for new weights."""
        state = dict(switch.optimizer)
        for name in ("m", "v"):
            if len(state[name]):
                source, target = (switch.old.like(a, None) for a in (switch.old.architecture, switch.architecture))
                source.parameters = np.asarray(state[name], source.weights[0].dtype)
                self.place(source, target)
                if self.inserted:
                    _place(source, -1, self.kept[-1], np.arange(source.n_actions), target, -1)
                state[name] = target.parameters
        return state


def _place(old: BaseNetwork, i: int, rows: np.ndarray, columns: np.ndarray, new: BaseNetwork, j: int) -> None:
    """Layer j of new := these rows and columns of layer i of old, first; its further rows say nothing to them."""
    new.weights[j][:, : len(columns)] = 0
    new.weights[j][: len(rows), : len(columns)] = old.weights[i][np.ix_(rows, columns)]
    new.biases[j][: len(columns)] = old.biases[i][columns]


def _lowest(old: BaseNetwork, states: np.ndarray) -> np.ndarray:
    """Lower bounds of the last hidden units over the box of the states, three times as wide: interval arithmetic."""
    low, high = -10.0 * np.ones(old.observation_size), 10.0 * np.ones(old.observation_size)
    if len(states):
        low, high = (states.astype(np.float64).min(axis=0), states.astype(np.float64).max(axis=0))
        low, high = 2 * low - high, 2 * high - low
    low, high = inputs(old, np.array([low, high]))
    for weights, bias in zip(old.weights[:-1], old.biases[:-1], strict=True):
        w = weights.astype(np.float64)
        middle, reach = (low + high) / 2 @ w + bias, (high - low) / 2 @ np.abs(w)
        low, high = activated(old, np.array([middle - reach, middle + reach]))
    return low


def _gains(old: BaseNetwork, new: BaseNetwork, kept: np.ndarray, states: np.ndarray, tanh_slope: float) -> np.ndarray:
    """By what the head multiplies each unit that was handed on: least squares over the states."""
    if not len(states):
        return np.full(len(kept), 1 / tanh_slope)
    was, now = hidden(old, states)[-1][:, kept], hidden(new, states)[-1][:, : len(kept)]
    return np.asarray((was * now).sum(axis=0) / np.maximum((now * now).sum(axis=0), 1e-12))
