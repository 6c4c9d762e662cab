"""A search by real trials, from its settings to the return of what it has chosen."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from nasdqn_fast.config import Config, all_settings, resolve
from nasdqn_fast.errors import InputError, TrialFailed
from nasdqn_fast.run.directory import write_texts
from nasdqn_fast.space import Architecture
from nasdqn_fast.study import api as studies
from nasdqn_fast.study import cells
from nasdqn_fast.study.outcomes import read_outcomes
from nasdqn_fast.study.plan import JOIN
from nasdqn_fast.study.progress import Progress
from nasdqn_fast.study.runner import Show
from nasdqn_fast.study.search.attempt import without_choices
from nasdqn_fast.study.search.found import FoundByTrials, found_in, summary_of
from nasdqn_fast.study.search.plan import SEEDS_OF_A_SEARCH, FinalRuns, Searches, SearchPlan
from nasdqn_fast.study.search.search import check_search, run_search
from nasdqn_fast.trial_estimators import base as trial_estimators
from nasdqn_fast.validation import check_int, check_path, check_positive_int

METHODS = ("random-nas",)
ESTIMATOR = "low-fidelity"
TRIALS = 50
FINAL_SEEDS = 10
FIRST_FINAL_SEED = 1000
OUT = "search"
FINAL, SUMMARY, FORMAT = "final", "summary.json", 1
# Settings of controllers and of what they are told, which the final runs have not.
_CONTROLLERS = {"controller_options", "optimizers", "learning_rates", "max_parameters"} | {
    setting.keyword for setting in all_settings() if setting.section == "reward"
}


def search_runs(
    methods: Sequence[str] = METHODS,
    env: str | None = None,
    trials: int = TRIALS,
    *,
    estimator: str = ESTIMATOR,
    trial_estimator_options: Mapping[str, Any] | None = None,
    episodes: int | None = None,
    seeds: int = 1,
    seed: int = 0,
    final_seeds: int = FINAL_SEEDS,
    config: Config | str | Path | None = None,
    out: str | Path = OUT,
    shard: str | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    progress: Show | None = None,
    **options: Any,
) -> dict[str, list[FoundByTrials]]:
    """Searches by real trials, and trains what each search has found in full: ``search_runs(["nas-dqn"], "cartpole")``.

    The same call continues what is in `out` (docs/search.md).

    Args:
        methods: as for `nasdqn_fast.experiment`: a name of ``list methods``, perhaps with settings of its own.
        env: an environment; ``inverted-pendulum``, or that of `config`, if not given.
        trials: of each search.
        estimator: what a trial is worth: a name of ``list trial-estimators``, or ``module:attribute``.
        trial_estimator_options: its options.
        episodes: of full training; 2,000 if not given.
        seeds: searches of each method.
        seed: of the first search; the others follow.
        final_seeds: runs of full training of each architecture that a search has found, with seeds from 1000, which no
            trial has; 0: none.
        config, shard, threads, scheduler, progress: as for `nasdqn_fast.experiment`.
        out: directory.
        **options: settings of all runs, as for `nasdqn_fast.train`; ``estimator`` is taken, so that the run's own, by
            which a run is scored, is ``score``, and its options ``score_options``.

    Returns:
        method -> its searches; of those that are not at their end yet, because other processes have them, none.

    Raises:
        InputError: a setting is wrong, or `out` holds something else. Nothing has been written then.
        TrialFailed: a search or a final run has failed.
        KeyboardInterrupt: as usual; what ran has been saved.
    """
    found, ended = run_searches(
        methods,
        env,
        trials=trials,
        estimator=estimator,
        trial_estimator_options=trial_estimator_options or {},
        seeds=seeds,
        seed=seed,
        final_seeds=final_seeds,
        config=config,
        out=out,
        shard=shard,
        threads=threads,
        scheduler=scheduler,
        show=progress,
        options={"episodes": episodes} | options,
    )
    if ended.failed:
        trial, why = next(iter(ended.failed.items()))
        raise TrialFailed(f"{ended.what} {trial.name} failed: {why}")
    if ended.noted:
        warnings.warn(studies.noted(ended), stacklevel=2)
    return found


def run_searches(
    methods: Sequence[str],
    env: str | None,
    *,
    trials: int,
    estimator: str,
    trial_estimator_options: Mapping[str, Any],
    seeds: int,
    seed: int,
    final_seeds: int,
    config: Config | str | Path | None,
    out: str | Path,
    options: Mapping[str, Any],
    shard: str | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    show: Show | None = None,
) -> tuple[dict[str, list[FoundByTrials]], Progress]:
    """As `search_runs`, with what became of the searches, or of the final runs."""
    workers = studies.Workers(shard, threads, scheduler)
    out = check_path("out", out).absolute()
    options = _renamed(options)
    plan, configs = _plan(methods, env, trials, estimator, trial_estimator_options, seeds, seed, config, options)
    final_seeds = check_int("final_seeds", final_seeds, 0, SEEDS_OF_A_SEARCH - FIRST_FINAL_SEED)
    searches, ended = studies.run_plan(
        workers,
        out,
        plan,
        configs,
        kind=Searches,
        check=partial(check_search, plan=plan),
        run=partial(run_search, plan=plan),
        show=show,
    )
    found = found_in(searches)
    if ended.failed or not searches.is_complete or not final_seeds:
        return found, ended
    finals, configs = studies.make_plan(
        list(dict.fromkeys(_final_label(label, each.best) for label, all_ in found.items() for each in all_)),
        list(plan.tasks),
        final_seeds,
        grid=None,
        config=None if config is None else without_choices(resolve(config)),
        first_seed=FIRST_FINAL_SEED,
        options={name: value for name, value in options.items() if name not in _CONTROLLERS},
    )
    study, ended = studies.run_plan(workers, out / FINAL, finals, configs, kind=FinalRuns, show=show)
    outcomes = read_outcomes(study)
    if not outcomes.is_complete:
        return found, ended
    (task,) = plan.tasks
    found = {
        label: [
            replace(each, finals=outcomes.groups[task, _final_label(label, each.best)].column("final_mean"))
            for each in searched
        ]
        for label, searched in found.items()
    }
    _write(out, plan, found)
    return found, ended


def _renamed(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options by the keywords of `nasdqn_fast.train`."""
    names = {"score": "estimator", "score_options": "estimator_options"}
    given = {name: value for name, value in options.items() if value is not None}
    if "estimator_options" in given:
        raise InputError("options of the trial estimator are trial_estimator_options, those of the run's score_options")
    return {names.get(name, name): value for name, value in given.items()}


def _plan(
    methods: Sequence[str],
    env: str | None,
    trials: int,
    estimator: str,
    estimator_options: Mapping[str, Any],
    seeds: int,
    seed: int,
    config: Config | str | Path | None,
    options: Mapping[str, Any],
) -> tuple[SearchPlan, dict[tuple[str, str], Config]]:
    """The plan, and the settings of each task and label."""
    if not isinstance(estimator, str):
        raise InputError(
            f"estimator must be a name, or module:attribute, for the directory holds it; got {estimator!r}"
        )
    made = trial_estimators.make(estimator, estimator_options)
    plan, configs = studies.make_plan(
        methods, None if env is None else [env], seeds, grid=None, config=config, first_seed=seed, options=options
    )
    about = {"trials": check_positive_int("trials", trials), "estimator": estimator}
    return SearchPlan.of_plan(plan, about | {"estimator_options": asdict(made.options)}), configs


def _final_label(label: str, best: Architecture) -> str:
    """The method of the final runs of what a search has found: the agent is the search's, but not its controller."""
    _, values = cells.parse_name("method", label)
    values |= {f"agent.{name}": str(value) for name, value in best.training}
    kept = [
        f"{setting}={value}"
        for setting, value in values.items()
        if setting.split(".")[0] in ("agent", "run", "estimator", "env")
    ]
    return JOIN.join([f"fixed:{Architecture.parse(best)}", *kept])


def _write(out: Path, plan: SearchPlan, found: Mapping[str, Sequence[FoundByTrials]]) -> None:
    about = {"trials": plan.trials, "estimator": plan.estimator, "episodes": plan.episodes}
    summary = {"format": FORMAT, "task": plan.tasks[0], **about}
    summary["methods"] = {label: summary_of(searched) for label, searched in found.items()}
    write_texts(out, {SUMMARY: f"{json.dumps(summary, indent=2, allow_nan=False)}\n"})
