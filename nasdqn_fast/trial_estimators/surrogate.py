"""Train the first few trials, and predict all others from them: a regression from architecture to score.

The regression is by scikit-learn: a Gaussian process with a Matern-5/2 kernel and a noise term, or ridge regression. An
architecture is described by its depth, mean width, activation and training, one number for each value that the space
has, and by the logarithm of its hidden weights.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.extras import optional
from nasdqn_fast.plugins import option
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.trial_estimators.base import Trial


class Surrogate:
    """The score of a run in the first trials, and its prediction from these in all others."""

    @dataclass(frozen=True)
    class Options:
        model: str = option("gp", "Gaussian process, or ridge regression", "this package", choices=("gp", "ridge"))
        trials: int = option(9, "trials that are trained", "this package: a third of the paper's space", minimum=2)
        episodes: int | None = option(None, "episodes of these; none: all", "this package", minimum=1, shown="all")
        alpha: float = option(1.0, "penalty of ridge regression", "scikit-learn", minimum=0)

    def __call__(self, trial: Trial) -> float:
        options = trial.options
        trained = [result for result in trial.earlier if len(result.returns)]
        if len(trained) < options.trials:
            episodes = trial.episodes if options.episodes is None else trial.episodes_of(options.episodes)
            return trial.train(episodes, None).score
        scores = np.array([result.score for result in trained])
        level, spread = float(scores.mean()), float(scores.std())
        if spread == 0.0:
            return level
        features = described([*(result.architecture for result in trained), trial.architecture], trial.space)
        model = _model(options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a length scale at its bound, which is no error
            model.fit(features[:-1], (scores - level) / spread)
        return level + spread * float(model.predict(features[-1:])[0])


def described(architectures: list[Architecture], space: SearchSpace) -> np.ndarray:
    """Features of architectures, (n, features): indicators of depth, width, activation, training, and log of the size.

    Args:
        architectures: all of the space.
        space: whose values have an indicator each.
    """
    parts = {architecture: _parts(architecture) for architecture in (*space, *architectures)}
    values = [sorted({of[i] for of in parts.values()}, key=str) for i in range(4)]
    sizes = {architecture: math.log(_hidden_weights(architecture)) for architecture in parts}
    middle, spread = float(np.mean(list(sizes.values()))), float(np.std(list(sizes.values()))) or 1.0
    return np.array(
        [
            [float(parts[a][i] == value) for i, column in enumerate(values) for value in column]
            + [(sizes[a] - middle) / spread]
            for a in architectures
        ]
    )


def _parts(architecture: Architecture) -> tuple[Any, ...]:
    width = sum(architecture.widths) / architecture.depth
    return architecture.depth, width, architecture.activation, architecture.training


def _hidden_weights(architecture: Architecture) -> int:
    return architecture.parameter_count(1, 1)


def _model(options: Any) -> Any:
    if options.model == "ridge":
        return optional("sklearn.linear_model", "search").Ridge(alpha=options.alpha)
    processes = optional("sklearn.gaussian_process", "search")
    kernels = optional("sklearn.gaussian_process.kernels", "search")
    kernel = kernels.ConstantKernel() * kernels.Matern(nu=2.5) + kernels.WhiteKernel(0.1)
    return processes.GaussianProcessRegressor(kernel, random_state=0)


plugin = Surrogate
