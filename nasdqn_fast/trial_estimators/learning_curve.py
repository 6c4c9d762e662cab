"""Train for fewer episodes, and extrapolate the learning curve to the end of full training.

Domhan et al. 2015 (IJCAI) fit parametric curves; two of them are here, y = a - b t^-c (``pow3``) and
y = a - b e^(-c t) (``exp3``). t runs from 0 to 1 over full training. For a given rate c both are linear in a and b,
which have a solution in closed form: the fit is a search in one dimension, by SciPy, and has no bad start.
``last-value``, the level where the curve ends, is the baseline to beat: curves of reinforcement learning climb in
steps, and are not monotone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nasdqn_fast.extras import optional
from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.plugins import option
from nasdqn_fast.trial_estimators.base import LengthOptions, Trial

MODELS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "pow3": lambda t, c: t**-c,
    "exp3": lambda t, c: np.exp(-c * t),
}
# Of rates: from a curve that still climbs at the end of full training to one that is flat after a few episodes.
RATES = {"pow3": (0.05, 3.0), "exp3": (0.1, 100.0)}


class LearningCurve:
    """The mean of the last 100 episodes of full training, as a curve fitted to the first `episodes` predicts it."""

    @dataclass(frozen=True)
    class Options(LengthOptions):
        model: str = option("pow3", "the curve", "Domhan et al. 2015", choices=("last-value", *MODELS))
        window: int = option(50, "episodes of the rolling mean that is fitted", "this package", minimum=1)

    def __call__(self, trial: Trial) -> float:
        options = trial.options
        returns = trial.train(trial.episodes_of(options.episodes), None).returns
        window = min(options.window, max(1, len(returns) // 2))
        if options.model == "last-value":
            return float(returns[-window:].mean())
        return extrapolated(returns, trial.episodes, options.model, window)


def extrapolated(returns: np.ndarray, episodes: int, model: str, window: int) -> float:
    """Mean of the last min(100, episodes) points of the curve that fits a rolling mean best, by least squares.

    With fewer than three points of it there is no fit: then the last of them is given.

    Args:
        returns: (n,), of the first n episodes.
        episodes: of full training, >= n.
        model: a key of `MODELS`.
        window: of the rolling mean, <= n.
    """
    means = np.convolve(returns, np.full(window, 1 / window), "valid")
    if len(means) < 3 or np.ptp(means) == 0.0:
        return float(means[-1])
    # The mean of a window stands at its middle.
    t = (np.arange(len(means)) + (window + 1) / 2) / episodes
    end = np.arange(max(episodes - FINAL_EPISODES, 0) + 1, episodes + 1) / episodes
    shape, (lowest, highest) = MODELS[model], RATES[model]

    def fit(log_rate: float) -> tuple[float, np.ndarray]:
        basis = np.stack([np.ones_like(t), shape(t, np.exp(log_rate))], axis=1)
        coefficients = np.linalg.lstsq(basis, means, rcond=None)[0]
        return float(((basis @ coefficients - means) ** 2).sum()), coefficients

    found = optional("scipy.optimize", "search").minimize_scalar(
        lambda log_rate: fit(log_rate)[0], bounds=(np.log(lowest), np.log(highest)), method="bounded"
    )
    a, b = fit(found.x)[1]
    return float(a + b * shape(end, np.exp(found.x)).mean())


plugin = LearningCurve
