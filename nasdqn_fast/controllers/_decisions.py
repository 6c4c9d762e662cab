"""Any space as a tree of decisions: depth, width or widths, activation, and how to train. Every leaf is in the space.

An architecture has *parts*, pairs of a field and a value: ``depth`` 3, ``width`` 64, ``activation`` relu. In a space
with unequal widths, each layer has a field: ``width 1``, ``width 2`` and so on. Of setups, ``optimizer`` and
``learning_rate`` come last, as far as they are to be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.space import ACTIVATIONS, Architecture, SearchSpace

Part = tuple[str, Any]  # field, value


@dataclass(frozen=True, eq=False)
class Decision:
    """One of several values of a field is to be chosen.

    Args:
        number: its place in `Tree.decisions`.
        field: what is chosen.
        actions: numbers of the parts that there are to choose from, in `Tree.parts`.
        outcomes: where each leads: the next decision, or the architecture that is complete with it.
    """

    number: int
    field: str
    actions: tuple[int, ...]
    outcomes: tuple[Decision | Architecture, ...]


class Tree:
    """The decisions that lead to the architectures of a space; where only one value is left, there is none.

    Args:
        space: the architectures.

    Attributes:
        fields: names of the fields, in the order of decisions.
        parts: every field's values, small ones first.
        decisions: all of them, in no order of being made.
        root: the first to be made, or the only architecture of the space.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._per_layer = any(len(set(architecture.widths)) > 1 for architecture in space)
        described = {architecture: self.describe(architecture) for architecture in space}
        longest = max(described.values(), key=len)
        self.fields = tuple(field for field, _ in longest)
        every = {part for parts in described.values() for part in parts}
        self.parts: list[Part] = sorted(every, key=lambda part: (self.fields.index(part[0]), _rank(part)))
        self._numbers = {part: number for number, part in enumerate(self.parts)}
        self.decisions: list[Decision] = []
        self.root = self._grow([(parts, architecture) for architecture, parts in described.items()], 0)
        self._paths: dict[Architecture, list[tuple[Decision, int]]] = {}
        self._walk(self.root, [])

    def describe(self, architecture: Architecture) -> tuple[Part, ...]:
        """The parts of an architecture, in order of decision."""
        if not self._per_layer:
            widths: tuple[Part, ...] = (("width", architecture.widths[0]),)
        else:
            widths = tuple((f"width {layer}", width) for layer, width in enumerate(architecture.widths, start=1))
        layers = ("depth", architecture.depth), *widths, ("activation", architecture.activation)
        return (*layers, *architecture.training)

    def numbers(self, architecture: Architecture) -> tuple[int, ...]:
        """Numbers in `parts` of an architecture of the space."""
        return tuple(self._numbers[part] for part in self.describe(architecture))

    def path(self, architecture: Architecture) -> list[tuple[Decision, int]]:
        """The decisions that lead to an architecture of the space, each with the place of the action to take.

        Raises:
            KeyError: it is not in the space.
        """
        return self._paths[architecture]

    def _grow(self, entries: Sequence[tuple[tuple[Part, ...], Architecture]], level: int) -> Decision | Architecture:
        if len(entries) == 1:
            return entries[0][1]
        branches: dict[int, list[tuple[tuple[Part, ...], Architecture]]] = {}
        for parts, architecture in entries:
            branches.setdefault(self._numbers[parts[level]], []).append((parts, architecture))
        actions = tuple(sorted(branches))
        outcomes = tuple(self._grow(branches[action], level + 1) for action in actions)
        if len(actions) == 1:
            return outcomes[0]
        decision = Decision(len(self.decisions), self.parts[actions[0]][0], actions, outcomes)
        self.decisions.append(decision)
        return decision

    def _walk(self, at: Decision | Architecture, path: list[tuple[Decision, int]]) -> None:
        if isinstance(at, Architecture):
            self._paths[at] = path
            return
        for place, outcome in enumerate(at.outcomes):
            self._walk(outcome, [*path, (at, place)])


class Neighbours:
    """Which architectures differ from another in one field, and else as little as the space allows.

    Args:
        space: the architectures.
        tree: its decisions.
    """

    def __init__(self, space: SearchSpace, tree: Tree) -> None:
        self._described = {architecture: dict(tree.describe(architecture)) for architecture in space}
        self._values: dict[str, list[Any]] = {}
        for field, value in tree.parts:
            self._values.setdefault(field, []).append(value)

    def fields(self, architecture: Architecture) -> list[str]:
        """The fields of an architecture of the space that can have another value."""
        own = self._described[architecture]
        return [field for field in own if len(self._values[field]) > 1]

    def nearest(self, architecture: Architecture, field: str, value: Any) -> list[Architecture]:
        """Of the architectures with this value, those which differ from another one in the fewest fields.

        Args:
            architecture: of the space.
            field, value: a part that some architecture of the space has.
        """
        own = self._described[architecture]
        distances = [
            (sum(own[name] != other[name] for name in own.keys() & other.keys()), candidate)
            for candidate, other in self._described.items()
            if other.get(field) == value
        ]
        least = min(distance for distance, _ in distances)
        return [candidate for distance, candidate in distances if distance == least]

    def mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """A random neighbour: a field, another value of it, and one of the nearest architectures with that value.

        Args:
            architecture: of the space; the only one of a space is its own neighbour.
            rng: the source of randomness.
        """
        fields = self.fields(architecture)
        if not fields:
            return architecture
        field = fields[rng.integers(len(fields))]
        own = self._described[architecture][field]
        others = [value for value in self._values[field] if value != own]
        found = self.nearest(architecture, field, others[rng.integers(len(others))])
        return found[rng.integers(len(found))] if len(found) > 1 else found[0]


def _rank(part: Part) -> int:
    field, value = part
    return ACTIVATIONS.index(value) if field == "activation" else value
