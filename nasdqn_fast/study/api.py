"""A study from its settings to its trials."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast import envs, plugins
from nasdqn_fast.config import Config, EnvConfig, resolve
from nasdqn_fast.envs import AnyEnvironment
from nasdqn_fast.errors import InputError, WrongType
from nasdqn_fast.run.assembly import make_environment, make_trainer, optimum
from nasdqn_fast.study import cells
from nasdqn_fast.study.cores import cores
from nasdqn_fast.study.create import S, create_or_open, look
from nasdqn_fast.study.latencies import filled, measured, stored
from nasdqn_fast.study.plan import Plan, label_of
from nasdqn_fast.study.progress import Progress
from nasdqn_fast.study.runner import Run, Runner, Show, window_of
from nasdqn_fast.study.shards import parse_shard
from nasdqn_fast.study.study import Study
from nasdqn_fast.study.trial import HaltFile, run_trial
from nasdqn_fast.validation import check_int, check_path, check_positive_int, described

# Rahmani et al. 2025, section 2.4: five agents, three seeds; 2,000 episodes and the rest are the profile's.
METHODS = ("fixed-small", "fixed-medium", "fixed-large", "random-nas", "nas-dqn")
SEEDS = 3
FIRST_SEED = 1000  # 0 to 99 are for choosing settings, so that no reported run has helped to choose its own
OUT = "study"
OTHERS_WINDOW = 256  # trials at a time on an executor whose size is not known

Seeds = int | Mapping[str, int]
Grid = Mapping[str, Sequence[Any]]


def experiment(
    methods: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    seeds: Seeds | None = None,
    *,
    episodes: int | None = None,
    grid: Grid | None = None,
    profile: str | None = None,
    config: Config | str | Path | None = None,
    out: str | Path = OUT,
    first_seed: int = FIRST_SEED,
    shard: str | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    progress: Show | None = None,
    **options: Any,
) -> Study:
    """Trains every method on every task with every seed: ``experiment(seeds=100, out="study")``.

    Without arguments it is the paper's protocol. Each trial is a run directory in `out`; a study that was left is
    continued by the same call (docs/experiments.md).

    Args:
        methods: each a name of `nasdqn-fast list methods`, perhaps with settings of its own:
            ``nas-dqn+search.transfer=fresh``, ``fixed:3x64-relu``; None: the paper's five agents.
        tasks: each an environment, perhaps with settings: ``inverted-pendulum+env.start=hanging``; None: the one of
            `config`.
        seeds: of each method, or method -> seeds, the others having 3; None: 3, or those of a study that is there.
        episodes: of each trial; 2,000 if not given.
        grid: setting, as ``"agent.learning_rate"`` -> values; every method is trained at every point.
        profile, config: as for `nasdqn_fast.train`.
        out: folder of the study.
        first_seed: of each method; the others follow.
        shard: ``"3/40"``: run this share of the trials, and then what no other process has.
        threads: trials at a time in this process; None: a thread for each core.
        scheduler: address of a Dask scheduler whose workers run the trials; they must see `out`.
        executor: runs the trials in place of threads; it is not shut down.
        progress: a function of a `nasdqn_fast.study.progress.Progress`, called often in the calling thread.
        **options: settings of all trials, as for `nasdqn_fast.train`.

    Returns:
        the study. A warning tells of each trial that has failed.

    Raises:
        InputError: a setting is wrong, or `out` holds another study. Nothing has been written then.
        KeyboardInterrupt: as usual; every trial that ran has been saved.
    """
    study, ended = run_study(
        methods,
        tasks,
        seeds,
        grid=grid,
        config=config,
        out=out,
        first_seed=first_seed,
        shard=shard,
        threads=threads,
        scheduler=scheduler,
        executor=executor,
        show=progress,
        options={"episodes": episodes, "profile": profile} | options,
    )
    for trial, why in ended.failed.items():
        warnings.warn(f"trial {trial.name} failed: {why}", stacklevel=2)
    if ended.noted:
        warnings.warn(noted(ended), stacklevel=2)
    return study


def run_study(
    methods: Sequence[str] | None,
    tasks: Sequence[str] | None,
    seeds: Seeds | None,
    *,
    grid: Grid | None,
    config: Config | str | Path | None,
    out: str | Path,
    first_seed: int,
    options: Mapping[str, Any],
    shard: str | None = None,
    threads: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    show: Show | None = None,
) -> tuple[Study, Progress]:
    """As `experiment`, with what became of the trials."""
    where = Workers(shard, threads, scheduler, executor)
    out = check_path("out", out).absolute()
    plan, configs = make_plan(methods, tasks, seeds, grid=grid, config=config, first_seed=first_seed, options=options)
    return run_plan(where, out, plan, configs, kind=Study, seeds_given=seeds is not None, show=show)


def run_plan(
    where: Workers,
    out: Path,
    plan: Plan,
    configs: Mapping[tuple[str, str], Config],
    *,
    kind: type[S],
    seeds_given: bool = True,
    check: Callable[[Config, AnyEnvironment], object] = make_trainer,
    run: Run = run_trial,
    show: Show | None = None,
) -> tuple[S, Progress]:
    """A study of this plan, and what became of its trials.

    Args:
        where: what runs them.
        out: folder of the study; absolute, for a worker may be in another folder.
        plan, configs: as `make_plan` returns them.
        kind, seeds_given: as for `create_or_open`.
        check: finds what is wrong with a config, given its environment, before anything is written.
        run: what runs a trial, as for `Runner`.
        show: as for `Runner`.

    Raises:
        InputError: as for `experiment`.
    """
    latencies = measured(out, configs)
    for config in filled(configs, latencies).values():  # compiled, and its optimum computed, before any trial
        environment = make_environment(config)
        check(config, environment)
        optimum(environment)
    with where.ready(out) as runner:
        study = create_or_open(out, plan, seeds_given=seeds_given, kind=kind)
        return study, runner(study, filled(configs, stored(out, latencies)), show=show, run=run).run()


class Workers:
    """What runs the trials of a study: threads of this process, or an executor.

    Args:
        shard, threads, scheduler, executor: as for `experiment`.

    Raises:
        InputError: they exclude each other, or one is wrong.
    """

    def __init__(
        self,
        shard: str | None = None,
        threads: int | None = None,
        scheduler: str | None = None,
        executor: Executor | None = None,
    ) -> None:
        self._shard = parse_shard(shard)
        if sum(value is not None for value in (threads, scheduler, executor)) > 1:
            raise InputError("threads, scheduler and executor exclude each other; give one")
        self._threads = check_positive_int("threads", cores() if threads is None else threads)
        self._scheduler, self._executor = scheduler, executor

    @contextlib.contextmanager
    def ready(self, folder: Path) -> Iterator[Callable[..., Runner]]:
        """A function that makes a `Runner`; its arguments are the study, the configs, and keywords for `Runner`.

        Args:
            folder: of the study, which need not be there yet.

        Raises:
            InputError: no scheduler answers.
        """
        executor, threads = self._executor, self._threads
        with contextlib.ExitStack() as stack:
            ours = executor is None and self._scheduler is None
            halt: Any = threading.Event() if ours else stack.enter_context(_halt_file(folder))
            window: Callable[[], int] = lambda: OTHERS_WINDOW  # noqa: E731
            if self._scheduler is not None:
                from nasdqn_fast.study.dask import dask_executor

                executor, window = stack.enter_context(dask_executor(self._scheduler))
            elif executor is None:
                executor = stack.enter_context(ThreadPoolExecutor(threads, thread_name_prefix="trial"))
                window = lambda: window_of(threads)  # noqa: E731
            yield partial(Runner, executor=executor, halt=halt, window=window, ours=ours, shard=self._shard)


def noted(progress: Progress) -> str:
    """What is to be said of trials that have ended, in a line."""
    return f"of {progress.noted:,} of the trials that ended: {progress.note}"


def make_plan(
    methods: Sequence[str] | None,
    tasks: Sequence[str] | None,
    seeds: Seeds | None,
    *,
    grid: Grid | None,
    config: Config | str | Path | None,
    first_seed: int,
    options: Mapping[str, Any],
) -> tuple[Plan, dict[tuple[str, str], Config]]:
    """The plan, and the settings of each task and label.

    Raises:
        InputError: a setting is wrong.
    """
    options = {name: value for name, value in options.items() if value is not None}
    if elsewhere := {"method", "env", "seed"} & options.keys():
        raise InputError(f"{min(elsewhere)} is no option of a study; give methods, tasks and seeds")
    methods = _names("methods", METHODS if methods is None else methods)
    tasks = _names("tasks", [_task_of(config)] if tasks is None else tasks)
    points = {setting: cells.grid_values(setting, values) for setting, values in (grid or {}).items()}
    labels = {m: tuple(label_of(m, tuple(points), at) for at in product(*points.values())) for m in methods}
    for found in labels.values():
        cells.check_distinct("a point of the grid", found)
    configs = {
        (task, label): cells.config_of(config, options, task, label)
        for task in tasks
        for found in labels.values()
        for label in found
    }
    first = next(iter(configs.values()))
    every = first.as_json()
    every["run"].pop("seed")
    plan = Plan(
        tasks=tasks,
        methods=labels,
        grid=points,
        profile=first.run.profile,
        episodes=first.run.episodes,
        first_seed=check_int("first_seed", first_seed, 0),
        looks=(look(_seeds(seeds, methods)),),
        settings=json.loads(json.dumps(dict(options), default=_as_json)),
        config=every,
    )
    return plan, configs


def _as_json(value: Any) -> Any:
    """A number of NumPy's, or the name of an architecture or a plug-in."""
    if isinstance(value, np.generic):
        return value.item()
    return plugins.name_of(value) if isinstance(value, type) or callable(value) else str(value)


def _names(what: str, names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise WrongType(what, "a sequence of names", described(names))
    if not names:
        raise InputError(f"{what} must not be empty; give at least one")
    cells.check_distinct(what, tuple(names))
    return tuple(names)


def _task_of(config: Config | str | Path | None) -> str:
    """The environment of a config."""
    name = EnvConfig.name if config is None else resolve(config).env.name
    return name if isinstance(name, str) else envs.address(name)


def _seeds(seeds: Seeds | None, methods: Sequence[str]) -> dict[str, int]:
    if not isinstance(seeds, Mapping):
        return dict.fromkeys(methods, check_positive_int("seeds", SEEDS if seeds is None else seeds))
    if unknown := [name for name in seeds if name not in methods]:
        raise InputError(f"seeds of {unknown[0]!r}, which is not among the methods: {', '.join(methods)}")
    return {method: check_positive_int("seeds", seeds.get(method, SEEDS)) for method in methods}


@contextlib.contextmanager
def _halt_file(folder: Path) -> Iterator[HaltFile]:
    halt = HaltFile(folder / f".halt.{secrets.token_hex(8)}")
    try:
        yield halt
    finally:
        halt.clear()
