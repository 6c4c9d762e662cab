"""Train for fewer episodes: what learns faster is taken for what ends higher.

Also known as early stopping; the baseline that every other cheap estimator should beat (Elsken et al. 2019,
arXiv:1808.05377, section 4).
"""

from __future__ import annotations

from nasdqn_fast.trial_estimators.base import LengthOptions, Trial


class LowFidelity:
    """The score of a run of `episodes` episodes."""

    Options = LengthOptions

    def __call__(self, trial: Trial) -> float:
        return trial.train(trial.episodes_of(trial.options.episodes), None).score


plugin = LowFidelity
