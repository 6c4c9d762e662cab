"""Begin with the weights of an earlier trial, carried over by the transfer, and train for fewer episodes.

Weight inheritance (Real et al. 2017, arXiv:1703.01041; Cai et al. 2018, arXiv:1707.04873, who carry weights over by
Net2Net). A later trial has learned for longer, by way of its ancestors: scores rise with the number of the trial
whatever the architecture, which favours what is tried late.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasdqn_fast.plugins import option
from nasdqn_fast.trial_estimators.base import LengthOptions, Trial


class Inherit:
    """The score of a run that begins with a parent's network; the first trial has none."""

    @dataclass(frozen=True)
    class Options(LengthOptions):
        parent: str = option(
            "best",
            "which trial's weights: of the highest score so far, or of the last one",
            "this package",
            choices=("best", "last"),
        )

    def __call__(self, trial: Trial) -> float:
        trained = [number for number, result in enumerate(trial.earlier, start=1) if len(result.returns)]
        parent = None
        if trained and trial.options.parent == "last":
            parent = trained[-1]
        elif trained:
            parent = max(trained, key=lambda number: trial.earlier[number - 1].score)
        return trial.train(trial.episodes_of(trial.options.episodes), parent).score


plugin = Inherit
