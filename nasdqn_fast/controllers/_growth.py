"""Any space as a graph to grow in: deepen, widen, change the activation or how it is trained, stop.

It begins with the smallest architecture, and every other one can be reached.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from nasdqn_fast.space import ACTIVATIONS, Architecture, SearchSpace

STOP = "stop"


class Growth:
    """The moves between the architectures of a space.

    - ``deepen``: to the next greater depth, with the same activation and widths as near as there are.
    - ``widen``: wider layers, none narrower, and nothing in between; ``widen-2`` and so on where there are several
      such steps, as with widths layer by layer.
    - ``relu``, ``tanh``, ``leaky_relu``: the same widths with another activation.
    - ``adam``, ``lr=0.001`` and so on: the same layers with another optimizer or learning rate.
    - ``to:64,32-relu``: in irregular spaces, to what no other move leads to, from the nearest architecture.
    - ``stop``.

    Args:
        space: the architectures.

    Attributes:
        start: the smallest one, with the activation, optimizer and learning rate that come first in the space.
        moves: architecture -> move -> the architecture it leads to; None for ``stop``.
        names: every move's name.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.start = min(space, key=_size)
        self.moves: dict[Architecture, dict[str, Architecture | None]] = {
            architecture: dict(_moves(architecture, space)) for architecture in space
        }
        self._connect(space)
        used = {move for moves in self.moves.values() for move in moves}
        self.names = sorted(used - {STOP}, key=_order)
        self.names.append(STOP)
        for moves in self.moves.values():
            moves[STOP] = None

    def _connect(self, space: SearchSpace) -> None:
        """Adds a move to each architecture that none leads to, the smallest first."""
        while missing := sorted(set(space) - self._reached(), key=_size):
            target = missing[0]
            nearest = min(
                self._reached(), key=lambda architecture: (_distance(architecture, target), _size(architecture))
            )
            self.moves[nearest][f"to:{target}"] = target

    def _reached(self) -> set[Architecture]:
        reached, waiting = {self.start}, deque([self.start])
        while waiting:
            for target in self.moves[waiting.popleft()].values():
                if target is not None and target not in reached:
                    reached.add(target)
                    waiting.append(target)
        return reached


def _moves(architecture: Architecture, space: SearchSpace) -> Iterator[tuple[str, Architecture]]:
    trained = [other for other in space if other.training == architecture.training]
    alike = [other for other in trained if other.activation == architecture.activation]
    deeper = [other for other in alike if other.depth > architecture.depth]
    if deeper:
        yield "deepen", min(deeper, key=lambda other: (other.depth, _distance(architecture, other), _size(other)))
    wider = [other for other in alike if _is_wider(other, architecture)]
    least = [other for other in wider if not any(_is_wider(other, between) for between in wider)]
    for number, other in enumerate(least, start=1):
        yield "widen" if number == 1 else f"widen-{number}", other
    for other in trained:
        if other.widths == architecture.widths and other.activation != architecture.activation:
            yield other.activation, other
    for other in space:
        if (other.widths, other.activation) == (architecture.widths, architecture.activation):
            changed = set(other.training) - set(architecture.training)
            if len(changed) == 1:
                ((name, value),) = changed
                yield value if name == "optimizer" else f"lr={value!r}", other


def _is_wider(one: Architecture, other: Architecture) -> bool:
    """Whether it has as many layers, one of them wider, none narrower."""
    if one.depth != other.depth or one.widths == other.widths:
        return False
    return all(width >= than for width, than in zip(one.widths, other.widths, strict=True))


def _size(architecture: Architecture) -> tuple[int, int]:
    # With one input and one output: what there really are is not known here.
    return architecture.parameter_count(1, 1), ACTIVATIONS.index(architecture.activation)


def _distance(one: Architecture, other: Architecture) -> tuple[int, int, int, int]:
    """By depth, then by units, then by activation, then by how they are trained."""
    units = sum(abs(width - than) for width, than in zip(one.widths, other.widths, strict=False))
    trained = len(set(one.training) - set(other.training))
    return abs(one.depth - other.depth), units, one.activation != other.activation, trained


def _order(move: str) -> tuple[int, str]:
    kinds = ("deepen", "widen", *ACTIVATIONS)
    place = next((place for place, kind in enumerate(kinds) if move.startswith(kind)), len(kinds))
    return place + move.startswith("to:"), move
