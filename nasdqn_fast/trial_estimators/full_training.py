"""Train in full: the score that all other trial estimators try to predict, and the dearest."""

from __future__ import annotations

from nasdqn_fast.trial_estimators.base import Trial


def full_training(trial: Trial) -> float:
    """The score of a run of all episodes."""
    return trial.train(trial.episodes, None).score


plugin = full_training
