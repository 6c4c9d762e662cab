"""What an estimator is: a function of a segment that returns its score, which is what the controller is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.errors import InputError, NonFiniteError
from nasdqn_fast.space import Architecture
from nasdqn_fast.validation import check_finite


@dataclass(frozen=True, eq=False)
class Segment:
    """What an estimator is given: a segment that has just ended, and what went before it.

    Args:
        architecture: what was trained.
        returns: float64 (episodes,), undiscounted return of each episode that counts in the segment; at least one. With
            one environment that is what ended in it, with several what began in it (docs/estimators.md). In a run
            the arrays are read-only.
        lengths: int64 (episodes,), their steps.
        curve: float64 (n,), the returns of all segments so far; it ends with `returns`.
        starts: index in `curve` of the first episode of each segment, this one's last.
        switch_every: M, the length of a segment whose controller asks for no other.
        evaluate: n -> mean return of n greedy episodes of the segment's network, the starts of which are the same for
            every segment of a run and none of training's. The environment steps are counted as the segment's.
        options: the estimator's ``Options``, put in by `apply`.
    """

    architecture: Architecture
    returns: np.ndarray
    lengths: np.ndarray
    curve: np.ndarray
    starts: tuple[int, ...]
    switch_every: int
    evaluate: Callable[[int], float]
    options: Any = None

    @property
    def previous(self) -> np.ndarray | None:
        """The returns of the segment before; None for the first."""
        return self.curve[self.starts[-2] : self.starts[-1]] if len(self.starts) > 1 else None


def make(estimator: Any, options: Mapping[str, Any] | None = None) -> plugins.Function:
    """An estimator with its options.

    Args:
        estimator: a file of this folder (``mean-return``), ``module:attribute``, or the plug-in itself.
        options: by name; those not given have their defaults.

    Raises:
        InputError: unknown name or option, or not a function of one argument.
    """
    return plugins.function("estimators", estimator, "segment", options)


def apply(estimator: plugins.Function, segment: Segment) -> float:
    """The score of a segment.

    Args:
        estimator: as `make` returns it.
        segment: all but the options.

    Raises:
        NonFiniteError: a return is NaN or infinite.
        InputError: the estimator returned no finite number.
    """
    if not np.isfinite(segment.returns).all():
        raise NonFiniteError(f"non-finite return in a segment of {segment.architecture}: find why the run diverged")
    score = estimator.call(replace(segment, options=estimator.options))
    try:
        return check_finite("score", score)
    except (TypeError, ValueError) as error:
        raise InputError(f"estimator {estimator.name!r} must return a finite number: {error}") from None
