"""Train for fewer episodes: what learns faster is taken for what ends higher.

Also known as early stopping; the baseline that every other cheap estimator should beat (Elsken et al. 2019,
arXiv:1808.05377, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

from nasdqn_fast.plugins import option
from nasdqn_fast.trial_estimators.base import Trial


class LowFidelity:
    """The score of a run of `episodes` episodes."""

    @dataclass(frozen=True)
    class Options:
        episodes: int | None = option(
            None, "episodes of a trial; none: a quarter of full training", "this package", minimum=1, shown="a quarter"
        )

    def __call__(self, trial: Trial) -> float:
        return trial.train(trial.episodes_of(trial.options.episodes), None).score


plugin = LowFidelity
