"""The next generation of a population: which networks are replaced, by which, and what changes on the way.

As in AdaDQN (Vincent et al. 2025, arXiv:2405.16195, appendix; its code is theovincent/AdaDQN): the best network stays,
and each of the other places goes to the winner of a tournament of three. Networks that win nothing are replaced by
changed copies of those that win more than once, as SEARL does (Franke et al. 2021, arXiv:2009.01555).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.transfers.base import leading_blocks

TOURNAMENT = 3
WIDTH_SHARE = 0.8  # of the changes of layers: widths; the rest is depth
RATE_STEP = 0.2  # a learning rate is changed by this share of itself


def replacements(losses: np.ndarray, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Pairs of a network that goes and the one whose changed copy takes its place; elitism with tournaments.

    Args:
        losses: (K,), the lower the better; of equals the first is better.
        rng: of the tournaments.
    """
    n = len(losses)
    winners = [int(np.argmin(losses))]
    for _ in range(n - 1):
        drawn = np.sort(rng.choice(n, min(TOURNAMENT, n), replace=False))
        winners.append(int(drawn[np.argmin(losses[drawn])]))
    won = Counter(winners)
    gone = [k for k in range(n) if k not in won]
    parents = [k for k in sorted(won) for _ in range(won[k] - 1)]
    return list(zip(gone, parents, strict=True))


@dataclass(frozen=True)
class CandidateSpace:
    """What the networks of a population are drawn from, and changed within.

    Args:
        architectures: the search space.
        optimizers: update rules to choose from; empty: that of the agent's settings.
        learning_rates: the lowest and the highest; empty: that of the settings.
    """

    architectures: SearchSpace
    optimizers: tuple[str, ...] = ()
    learning_rates: tuple[float, ...] = ()

    def sample(self, rng: np.random.Generator) -> Architecture:
        """A candidate: the architecture and the optimizer uniformly, the logarithm of the learning rate, too."""
        architecture = self.architectures.sample(rng)
        optimizer = self.optimizers[int(rng.integers(len(self.optimizers)))] if self.optimizers else None
        rate = float(np.exp(rng.uniform(*np.log(self.learning_rates)))) if self.learning_rates else None
        return architecture.trained(optimizer, rate)

    def changed(self, candidate: Architecture, rng: np.random.Generator) -> Architecture:
        """A candidate that differs in one thing: layers, activation, optimizer or learning rate, each as likely.

        Layers change by one step of the space, in depth or in width; a learning rate by a fifth of itself. What the
        space has no other value of does not change; where it has none of anything, the candidate stays.
        """
        layers, training = candidate.trained(), dict(candidate.training)
        depths, widths = _neighbours(self.architectures, layers)
        activations = [other for other in self.architectures if other.widths == layers.widths and other != layers]
        optimizers = [name for name in self.optimizers if name != training.get("optimizer")]
        changes: list[Callable[[], Architecture]] = []
        if depths or widths:
            changes.append(lambda: _step(depths, widths, rng).trained(**training))
        if activations:
            changes.append(lambda: _one_of(activations, rng).trained(**training))
        if optimizers:
            changes.append(lambda: layers.trained(**training | {"optimizer": _one_of(optimizers, rng)}))
        if self.learning_rates and self.learning_rates[0] < self.learning_rates[1]:
            rate = training["learning_rate"]
            changes.append(lambda: layers.trained(**training | {"learning_rate": self._other_rate(rate, rng)}))
        return _one_of(changes, rng)() if changes else candidate

    def _other_rate(self, rate: float, rng: np.random.Generator) -> float:
        low, high = self.learning_rates
        factors = [1 - RATE_STEP] * (rate > low) + [1 + RATE_STEP] * (rate < high)
        return min(max(rate * _one_of(factors, rng), low), high)


def inherited(old: Any, architecture: Architecture, rng: np.random.Generator) -> Any:
    """A network that has of the old one what it has room for: the leading block of every layer; the rest is new.

    The head is new where the depth changes, since what it reads is another layer.
    """
    new = old.like(architecture, rng)
    blocks = list(leading_blocks(old, new))
    if new.architecture.depth != old.architecture.depth:
        blocks = blocks[:-2]  # without the head's weights and bias
    for source, target in blocks:
        target[...] = source
    return new


def _one_of(items: Sequence[Any], rng: np.random.Generator) -> Any:
    return items[int(rng.integers(len(items)))]


def _neighbours(space: SearchSpace, architecture: Architecture) -> tuple[list[Architecture], list[Architecture]]:
    """The next shallower and deeper, and the next narrower and wider of the same depth, as far as there are any."""
    alike = [other for other in space if other.activation == architecture.activation]
    as_deep = [other for other in alike if other.depth == architecture.depth]
    return (
        _nearest(alike, architecture, lambda one: one.depth),
        _nearest(as_deep, architecture, lambda one: sum(one.widths)),
    )


def _step(depths: Sequence[Architecture], widths: Sequence[Architecture], rng: np.random.Generator) -> Architecture:
    """One of the neighbours, of which there is one at least."""
    of_width = not depths or (bool(widths) and rng.random() < WIDTH_SHARE)
    neighbour: Architecture = _one_of(widths if of_width else depths, rng)
    return neighbour


def _nearest(
    others: Sequence[Architecture], architecture: Architecture, size: Callable[[Architecture], int]
) -> list[Architecture]:
    """The next smaller and the next larger of the others by this size, of equals the one of the most similar widths."""

    def distance(other: Architecture) -> tuple[int, float]:
        width, own = (sum(one.widths) / one.depth for one in (other, architecture))
        return abs(size(other) - size(architecture)), abs(width - own)

    smaller = [other for other in others if size(other) < size(architecture)]
    larger = [other for other in others if size(other) > size(architecture)]
    return [min(side, key=distance) for side in (smaller, larger) if side]
