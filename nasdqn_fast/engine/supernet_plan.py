"""What a supernet contains, how it is laid out, and which of its paths an update trains."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from nasdqn_fast import flop
from nasdqn_fast.errors import OutOfRange
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.validation import check_bool, check_choice, check_positive_int

SAMPLINGS = ("sandwich", "uniform")
SANDWICHED = 3  # paths that the sandwich rule needs: the largest, the smallest and a random one


class Layers(Protocol):
    """A network, or a gradient of its shape."""

    @property
    def weights(self) -> Sequence[np.ndarray]: ...
    @property
    def biases(self) -> Sequence[np.ndarray]: ...


@dataclass(frozen=True)
class SupernetPlan:
    """The architectures that a supernet contains, its paths, and how it is trained.

    Hidden layer l of a path is the leading block of the shared layer l. Paths of one depth share a head; the heads
    stand side by side in the shared last layer, for what a head reads is another layer at every depth.

    Args:
        space: the architectures; a sequence of them or of their text forms is taken, too.
        paths: how many an update trains, repetitions counted, >= 1; at most as many as there are architectures.
        sampling: ``sandwich``: the largest, the smallest and drawn ones (Yu and Huang 2019, arXiv:1903.05134);
            ``uniform``: drawn ones only (Guo et al. 2020, arXiv:1904.00420).
        distill: all but the largest learn the largest one's Q-values (Yu and Huang 2019); False: the target's.

    Attributes:
        whole: the shared hidden layers as an architecture.
        depths: those of the paths, ascending; of each there is a head.
        largest, smallest: numbers of the paths with the most and the fewest parameters, the first of equals; if there
            are two paths, they are not the same.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
    """

    space: SearchSpace
    paths: int = 4
    sampling: str = "sandwich"
    distill: bool = True
    whole: Architecture = field(init=False)
    depths: tuple[int, ...] = field(init=False)
    largest: int = field(init=False)
    smallest: int = field(init=False)

    def __post_init__(self) -> None:
        space = self.space if isinstance(self.space, SearchSpace) else SearchSpace(self.space)
        if trained := [one for one in space if one.training]:
            raise ValueError(
                "space must hold architectures without an optimizer or a learning rate, for one optimizer trains all "
                f"paths of a supernet; got {trained[0]}; give {Architecture.parse(trained[0])}"
            )
        check_choice("sampling", self.sampling, SAMPLINGS)
        check_bool("distill", self.distill)
        paths = min(check_positive_int("paths", self.paths), len(space))
        if self.sampling == "sandwich" and paths < min(SANDWICHED, len(space)):
            expected = f"at least {SANDWICHED} with {{sampling}} sandwich: the largest, the smallest, a random one"
            raise OutOfRange("paths", expected, str(self.paths), "raise it, or take {sampling} uniform")
        depth = max(one.depth for one in space)
        widths = [max(one.widths[layer] for one in space if one.depth > layer) for layer in range(depth)]
        widths[-1] = max(one.widths[-1] for one in space)  # every head reads as many units of its layer
        sizes = [one.parameter_count(1, 1) for one in space]
        largest = sizes.index(max(sizes))
        others = [k for k in range(len(space)) if k != largest] or [largest]
        derived = {
            "space": space,
            "whole": Architecture(tuple(widths), space[largest].activation),
            "depths": tuple(sorted({one.depth for one in space})),
            "largest": largest,
            "smallest": min(others, key=sizes.__getitem__),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @property
    def drawn(self) -> int:
        """Paths of an update, repetitions counted."""
        return min(self.paths, len(self.space))

    @property
    def always(self) -> list[int]:
        """Numbers of the paths that every update trains."""
        return [self.largest, self.smallest][: self.drawn] if self.sampling == "sandwich" else []

    def update_flop(
        self, observation_size: int, n_actions: int, batch: int, *, double: bool = True, odds: np.ndarray | None = None
    ) -> int:
        """Textbook operations of an update, as `flop.update_flop`; of the paths that are drawn, their mean.

        Args:
            observation_size, n_actions: of the environment.
            batch: transitions.
            double: Double DQN.
            odds: what a path's probability is proportional to, one an architecture; None: all equal.
        """
        sizes, passes = (observation_size, n_actions), 2 if double else 1  # by the largest path, for all
        own = np.array(
            [
                flop.update_flop(one, *sizes, batch, double=double) - passes * flop.forward_flop(one, *sizes, batch)
                for one in self.space
            ]
        )
        mean = float(np.average(own, weights=odds))
        paths = sum(int(own[k]) for k in self.always) + (self.drawn - len(self.always)) * mean
        return passes * flop.forward_flop(self.space[self.largest], *sizes, batch) + round(paths)

    def head(self, architecture: Architecture) -> int:
        """Number of a path's head, from 0."""
        return self.depths.index(architecture.depth)

    def parts(self, path: Layers, architecture: Architecture, shared: Layers) -> Iterator[tuple[Any, Any, float]]:
        """Pairs of an array of the path and the view of the shared layers it is read from, and the factor between them.

        The factor of weights is sqrt(n / n_path), their layers' inputs: so a path's weights have at the start the
        variance that is wanted for its own fan-in.

        Args:
            path: a network of this architecture, or a gradient.
            architecture: of the space.
            shared: the shared layers, or a gradient.
        """
        last = len(path.weights) - 1
        for layer, (weights, biases) in enumerate(zip(path.weights, path.biases, strict=True)):
            at = len(shared.weights) - 1 if layer == last else layer
            first = self.head(architecture) * len(biases) if layer == last else 0
            columns = slice(first, first + len(biases))
            room = shared.weights[at]
            yield weights, room[: len(weights), columns], math.sqrt(len(room) / len(weights))
            yield biases, shared.biases[at][columns], 1.0

    def get_state(self) -> dict[str, Any]:
        """Plain JSON values; ``SupernetPlan(**state)`` makes an equal one."""
        return {
            "space": [str(one) for one in self.space],
            "paths": self.paths,
            "sampling": self.sampling,
            "distill": self.distill,
        }
