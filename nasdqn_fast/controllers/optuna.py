"""Optuna's samplers, TPE by default: what to try next, from all trials so far. Needs the extra [search].

Tree-structured Parzen estimator: Bergstra et al. 2011. A study that maximises the score, in memory. Depth, widths and
learning rates are integers, so that a sampler knows their order; activation and optimizer are categories. Every
proposal is made by a new sampler, whose seed is drawn from the controller's stream: what it proposes then depends on
trials and seed alone, and a study that was built again from its trials goes on exactly as the first would have.
"""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers._decisions import Decision, Tree
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.errors import InputError
from nasdqn_fast.extras import optional
from nasdqn_fast.options import Checked, option
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Proposal, Result

# Name -> class of optuna.samplers, what it needs besides, and its arguments.
SAMPLERS: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "tpe": ("TPESampler", (), {}),
    "random": ("RandomSampler", (), {}),
    "gp": ("GPSampler", ("scipy", "torch"), {"warn_independent_sampling": False}),
    "cma-es": ("CmaEsSampler", ("cmaes",), {"warn_independent_sampling": False}),
}


class Optuna(Controller):
    """A sampler of Optuna's. The score is that of the proposal, also where a transfer refused the switch.

    Args:
        space: what there is to choose from.
        rng: seeds the samplers.
        options: which sampler.

    Raises:
        InputError: Optuna, or a package that the sampler needs, is not installed.
    """

    @dataclass(frozen=True)
    class Options(Checked):
        sampler: str = option(
            "tpe", "gp needs the packages scipy and torch, cma-es needs cmaes", "Optuna", choices=tuple(SAMPLERS)
        )
        startup_trials: int = option(
            10, "uniform trials before the sampler's own; random has no others", "Optuna's TPE", minimum=0
        )

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng)
        self.options = options
        self._optuna = optional("optuna", "search")
        kind, needed, self._arguments = SAMPLERS[options.sampler]
        for package in needed:
            if importlib.util.find_spec(package) is None:
                raise InputError(
                    f"{package} is not installed, which Optuna's {kind} needs: pip install {package}, or choose "
                    "another sampler"
                )
        self._kind = getattr(self._optuna.samplers, kind)
        if options.sampler != "random":
            self._arguments = self._arguments | {"n_startup_trials": options.startup_trials}
        self._tree = Tree(space)
        self._distributions = dict(map(self._parameter, self._tree.decisions))
        self._study = self._empty_study()
        self._running: Any = None  # the trial that is asked and has no score

    def propose(self) -> Proposal:
        self._study.sampler = self._kind(seed=int(self.rng.integers(2**31)), **self._arguments)
        self._running = self._study.ask()
        at: Decision | Architecture = self._tree.root
        while isinstance(at, Decision):
            name, distribution = self._parameter(at)
            if isinstance(distribution, self._optuna.distributions.IntDistribution):
                place = self._running.suggest_int(name, distribution.low, distribution.high)
            else:
                place = distribution.choices.index(self._running.suggest_categorical(name, distribution.choices))
            at = at.outcomes[place]
        return Proposal(at, self.options.sampler)

    def learn(self, result: Result) -> None:
        self._study.tell(self._running.number, result.score)
        self._running = None

    def get_state(self) -> dict[str, Any]:
        trials = [
            {"params": dict(trial.params), "attrs": copy.deepcopy(trial.system_attrs), "score": trial.value}
            for trial in self._study.get_trials(deepcopy=False)
        ]
        return super().get_state() | {"trials": trials}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self._study, self._running = self._empty_study(), None
        states = self._optuna.trial.TrialState
        for trial in state["trials"]:
            finished = trial["score"] is not None
            self._study.add_trial(
                self._optuna.trial.create_trial(
                    state=states.COMPLETE if finished else states.RUNNING,
                    value=trial["score"],
                    params=trial["params"],
                    distributions={name: self._distributions[name] for name in trial["params"]},
                    system_attrs=trial["attrs"],
                )
            )
            if not finished:
                self._running = self._study.get_trials(deepcopy=False)[-1]

    def _empty_study(self) -> Any:
        logging = self._optuna.logging
        level = logging.get_verbosity()
        logging.set_verbosity(logging.WARNING)  # or each study is announced on the screen
        try:
            return self._optuna.create_study(direction="maximize")
        finally:
            logging.set_verbosity(level)

    def _parameter(self, decision: Decision) -> tuple[str, Any]:
        """Name and distribution of what Optuna suggests; equal names have equal distributions.

        A field that has other values after other choices is another parameter there, named with all its values.
        """
        values = [self._tree.parts[action][1] for action in decision.actions]
        name = f"{decision.field}: {', '.join(map(str, values))}"
        if decision.field in ("activation", "optimizer"):
            return name, self._optuna.distributions.CategoricalDistribution(values)
        return name, self._optuna.distributions.IntDistribution(0, len(values) - 1)


plugin = Optuna
