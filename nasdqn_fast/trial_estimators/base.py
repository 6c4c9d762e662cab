"""What a trial estimator is: a function of a trial of an offline search that returns the trial's score.

An estimator (`nasdqn_fast.estimators`) judges a segment that has been trained. A trial estimator stands a floor above:
it decides how much training a trial gets, and from whose weights, before it says what the trial is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.errors import InputError
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Batch, Result
from nasdqn_fast.validation import check_finite

SHARE = 4  # where a trial estimator is not told for how long to train: one of so many episodes of full training


@dataclass(frozen=True, eq=False)
class Trained:
    """What training a trial has come to.

    Args:
        returns: float64 (episodes,), undiscounted return of each episode, from the first of the run.
        score: what the run's estimator says of it at its end.
    """

    returns: np.ndarray
    score: float


@dataclass(frozen=True, eq=False)
class Trial:
    """What a trial estimator is given. Whatever it makes use of is counted as the trial's cost.

    Args:
        number: of the trial in its search, from 1.
        architecture: what is to be estimated.
        space: what the search chooses from.
        earlier: the finished trials, in order; ``returns`` are empty where nothing was trained.
        episodes: of full training.
        settings: of the agent.
        train: (episodes, parent) -> what a run of so many episodes has come to. With a parent, the number of an earlier
            trial that was trained, the run begins with its last network, carried over by the search's transfer.
            A trial is trained once at most.
        network: i -> the network that a run begins with, in NumPy, of the i-th draw of initial weights, i >= 0.
        transitions: n -> so many transitions of random actions, the same in every trial of a search.
        options: the trial estimator's ``Options``, put in by `apply`.
    """

    number: int
    architecture: Architecture
    space: SearchSpace
    earlier: tuple[Result, ...]
    episodes: int
    settings: AgentSettings
    train: Callable[[int, int | None], Trained]
    network: Callable[[int], QNetwork]
    transitions: Callable[[int], Batch]
    options: Any = None

    def episodes_of(self, given: int | None) -> int:
        """How long to train: as long as given, at most in full; None: a quarter of full training, one episode at least.

        Args:
            given: an option's value.
        """
        return max(1, self.episodes // SHARE) if given is None else min(given, self.episodes)


@dataclass(frozen=True)
class LengthOptions:
    """How long a trial is trained, as `Trial.episodes_of` takes it."""

    episodes: int | None = plugins.option(
        None, "episodes of a trial; none: a quarter of full training", "this package", minimum=1, shown="a quarter"
    )


def make(estimator: Any, options: Mapping[str, Any] | None = None) -> plugins.Function:
    """A trial estimator with its options.

    Args:
        estimator: a file of this folder (``low-fidelity``), ``module:attribute``, or the plug-in itself.
        options: by name; those not given have their defaults.

    Raises:
        InputError: unknown name or option, or not a function of one argument.
    """
    return plugins.function("trial-estimators", estimator, "trial", options)


def apply(estimator: plugins.Function, trial: Trial) -> float:
    """The score of a trial.

    Args:
        estimator: as `make` returns it.
        trial: all but the options.

    Raises:
        InputError: the trial estimator returned no finite number, or trained the trial twice.
    """
    is_trained = False

    def train(episodes: int, parent: int | None) -> Trained:
        nonlocal is_trained
        if is_trained:
            raise InputError(f"trial estimator {estimator.name!r} trains a trial twice; train it once")
        is_trained = True
        return trial.train(episodes, parent)

    score = estimator.call(replace(trial, options=estimator.options, train=train))
    try:
        return check_finite("score", score)
    except (TypeError, ValueError) as error:
        raise InputError(f"trial estimator {estimator.name!r} must return a finite number: {error}") from None
