"""A distribution over the paths of a supernet, and its step up the gradient of the expected score.

    pi(c) = exp(sum of theta_part over the parts of c) / sum over the space of the same
    J(theta) = sum_c pi(c) S(c),  gradient by log-likelihood ratios: E[(S(c) - b) (phi(c) - E phi)]

phi(c) has a one for each part of c: its depth, its width (or that of each layer), its activation. Over all combinations
of these, pi is the product of a softmax over depths, one over widths and one over activations. Williams 1992; as the
controller of a network of shared weights, ENAS (Pham et al. 2018, arXiv:1802.03268).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasdqn_fast.controllers._decisions import Tree
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.validation import check_all_finite, check_array, check_int, check_real


class PathPolicy:
    """Logits of parts of architectures; all zero at first.

    Scores are compared within a step only, since the weights that they are of are the same then: the baseline of a
    draw is the mean score of the step's other draws (Kool et al. 2019). Advantages are in units of the scores'
    deviation within a step, the root of its mean square over all steps so far.

    Args:
        space: the architectures.
        rate: size of a step.
        entropy: weight of the entropy of pi, which keeps it from settling too early.

    Attributes:
        parts: pairs of a field and a value, one a logit.
        logits: float64 (parts,), theta.
    """

    def __init__(self, space: SearchSpace, *, rate: float, entropy: float) -> None:
        tree = Tree(space)
        self.space, self.rate, self.entropy = space, rate, entropy
        self.parts = tuple(tree.parts)
        self.logits = np.zeros(len(self.parts))
        self._has = np.zeros((len(space), len(self.parts)))  # phi
        for row, architecture in zip(self._has, space, strict=True):
            row[list(tree.numbers(architecture))] = 1
        self._squares, self._steps = 0.0, 0  # sum of the variances of scores, and of how many steps

    @property
    def probabilities(self) -> np.ndarray:
        """pi, float64, one an architecture."""
        sums = self._has @ self.logits
        weights = np.exp(sums - sums.max())
        return np.asarray(weights / weights.sum())

    @property
    def marginals(self) -> dict[str, float]:
        """The probability of each part."""
        shares = self.probabilities @ self._has
        return {f"{field} {value}": float(share) for (field, value), share in zip(self.parts, shares, strict=True)}

    @property
    def best(self) -> Architecture:
        """The most probable architecture, the first of equals."""
        return self.space[int(np.argmax(self.probabilities))]

    def draw(self, n: int, rng: np.random.Generator) -> list[int]:
        """Numbers of n architectures, drawn independently."""
        bounds = np.cumsum(self.probabilities)
        places = np.searchsorted(bounds, rng.random(n) * bounds[-1], side="right")
        return [int(place) for place in np.minimum(places, len(bounds) - 1)]

    def gradient(self, drawn: Sequence[int], advantages: np.ndarray) -> np.ndarray:
        """Derivatives by the logits of mean_i A_i log pi(c_i) + entropy H(pi), float64 (parts,).

        Args:
            drawn: numbers of the architectures c_i, (n,).
            advantages: float64 (n,), A_i.
        """
        p = self.probabilities
        expected = p @ self._has
        of_scores = advantages @ (self._has[list(drawn)] - expected) / len(drawn)
        logs = np.log(np.where(p > 0, p, 1))
        of_entropy = -(p * (logs - p @ logs)) @ self._has
        return np.asarray(of_scores + self.entropy * of_entropy)

    def learn(self, drawn: Sequence[int], scores: np.ndarray) -> None:
        """One step up the gradient.

        Args:
            drawn: numbers of architectures, two or more, as `draw` returned them.
            scores: float64 (n,), of these.
        """
        self._squares += float(np.var(scores))
        self._steps += 1
        deviation = math.sqrt(self._squares / self._steps) or 1.0
        n = len(scores)
        others = (scores.sum() - scores) / (n - 1)
        self.logits += self.rate * self.gradient(drawn, (scores - others) / deviation)

    def get_state(self) -> dict[str, Any]:
        """Plain JSON values and arrays."""
        return {"logits": self.logits.copy(), "squares": self._squares, "steps": self._steps}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state`."""
        logits = check_array("logits", state["logits"], self.logits.shape, np.float64)
        self.logits = np.array(check_all_finite("logits", logits))
        self._squares, self._steps = check_real("squares", state["squares"], 0), check_int("steps", state["steps"], 0)
