"""A study in a folder, for reading. docs/experiments.md describes the files."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from nasdqn_fast.config import Config
from nasdqn_fast.errors import InputError
from nasdqn_fast.run import directory
from nasdqn_fast.study.plan import FORMAT, Look, Plan, Trial, folder_name
from nasdqn_fast.study.progress import Progress
from nasdqn_fast.validation import check_path

STUDY, TRIALS = "study.json", "trials"
# Statuses of a trial besides those in a run's summary.
MISSING, UNFINISHED = "missing", "unfinished"


class Study:
    """A study.

    Args:
        folder: where it is.
        plan: what it is to consist of.

    Attributes:
        file, root: name of the file that holds the plan, and of the folder of its trials.
        plan_type: the class of its plan.
        fixed: names in that file of what may not change once the study has begun.
    """

    file: ClassVar[str] = STUDY
    root: ClassVar[str] = TRIALS
    plan_type: ClassVar[type[Plan]] = Plan
    fixed: ClassVar[tuple[str, ...]] = ("tasks", "methods", "grid", "first_seed", "config")

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """The study in a folder.

        Raises:
            InputError: the folder holds no study, or its file is damaged or of a later version.
        """
        folder = check_path("study", folder)
        try:
            values = json.loads((folder / cls.file).read_bytes())
        except FileNotFoundError:
            raise InputError(f"{str(folder)!r} is not a study: it holds no {cls.file}") from None
        except OSError as error:
            raise InputError(f"cannot read {str(folder / cls.file)!r}: {error.strerror}") from None
        except ValueError as error:
            raise InputError(f"{str(folder / cls.file)!r} is damaged: {error}") from None
        version = values.get("format") if isinstance(values, dict) else None
        if version != FORMAT:
            raise InputError(f"{str(folder / cls.file)!r} has format {version!r}; this version reads format {FORMAT}")
        try:
            return cls(folder, cls.plan_type.of_json(values))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{str(folder / cls.file)!r} is damaged: {type(error).__name__}: {error}") from None

    @property
    def looks(self) -> tuple[Look, ...]:
        """The decisions on the number of seeds; after more than one, verdicts are exploratory."""
        return self.plan.looks

    @property
    def is_complete(self) -> bool:
        """Whether every trial has come to its end."""
        return all(ended(status) for _, status in self.statuses())

    def trials(self) -> Iterator[Trial]:
        """Every trial that is planned, run or not; seed by seed."""
        folders = {name: folder_name(name) for name in (*self.plan.tasks, *self.plan.labels)}
        root = str(self.folder / self.root)
        for task, method, label, seed in self.plan.names():
            yield Trial(task, method, label, seed, f"{root}/{folders[task]}/{folders[label]}/{seed}")

    def statuses(self, wanted: Callable[[Trial], bool] | None = None) -> Iterator[tuple[Trial, str]]:
        """Trials with their `status`; of those that have not begun, none is looked for.

        Args:
            wanted: which; None: every one. Of these the sizes of the files are compared with the summary, too.
        """
        begun: dict[str, frozenset[str]] = {}  # a folder of many trials is listed once
        for trial in self.trials():
            if wanted is not None and not wanted(trial):
                continue
            folder, _, name = trial.path.rpartition("/")
            if folder not in begun:
                begun[folder] = frozenset(os.listdir(folder) if os.path.isdir(folder) else ())
            there = name in begun[folder]
            yield trial, self.status(trial, check=wanted is not None) if there else MISSING

    def status(self, trial: Trial, *, check: bool = False) -> str:
        """``missing``, ``unfinished`` (running, or killed), or what the trial's summary says.

        That is ``finished``, ``interrupted``, or ``stopped: `` or ``failed: `` and the reason.

        Args:
            trial: which.
            check: as for `status_of`.
        """
        return status_of(Path(trial.path), check=check)

    def progress(self, trials: int, before: int) -> Progress:
        """That of a process which is to see to so many trials, some of which had ended before."""
        return Progress(trials, self.plan.episodes, before=before)

    def episodes(self, trial: Trial) -> dict[str, np.ndarray]:
        """The columns of ``episodes.csv`` (docs/run_directory.md).

        Returns:
            ``episode`` and ``length`` as int64, ``return``, ``epsilon``, ``loss`` as float64, ``architecture`` as text;
            a later version's columns are there, too. All (episodes,).

        Raises:
            InputError: the file is missing or damaged.
        """
        return read_episodes(trial.path)

    def segments(self, trial: Trial) -> list[dict[str, Any]]:
        """The segments of a trial in order, from ``architectures.jsonl``.

        Returns:
            for each a dict: ``segment``, ``first`` and ``last`` (episodes, from 1; ``last`` is None if the segment has
            not ended), ``architecture`` (really trained), ``reason``, ``accepted``; ``score`` and ``cost``
            (environment steps; None if it has not ended); ``transfer`` and ``prune`` (the lines of these events;
            None without).
        """
        path = f"{trial.path}/{directory.ARCHITECTURES}"
        segments: list[dict[str, Any]] = []
        try:
            with open(path, encoding="utf-8") as file:
                for line in file:
                    _take(json.loads(line), segments)
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise InputError(f"cannot read {path!r}: {error}") from None
        return segments

    def summary(self, trial: Trial) -> dict[str, Any]:
        """The content of ``summary.json`` (docs/run_directory.md).

        Raises:
            InputError: it is missing, since the trial has not ended, or damaged.
        """
        return read_summary(trial.path)

    def config(self, trial: Trial) -> Config:
        """Every setting of a trial that has begun.

        Raises:
            InputError: it has not, or its config is damaged.
        """
        return directory.read_config(Path(trial.path))


def read_episodes(run: str | Path) -> dict[str, np.ndarray]:
    """The columns of the ``episodes.csv`` of a run directory; see `Study.episodes`."""
    path = f"{run}/{directory.EPISODES}"
    try:
        with open(path, newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        columns = zip(*rows, strict=True) if rows else [()] * len(header)
        return {name: _column(name, values) for name, values in zip(header, columns, strict=True)}
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path!r}: {error}") from None


def read_summary(run: str | Path) -> dict[str, Any]:
    """The content of the ``summary.json`` of a run directory; see `Study.summary`."""
    path = f"{run}/{directory.SUMMARY}"
    try:
        with open(path, "rb") as file:
            summary: dict[str, Any] = json.loads(file.read())
            return summary
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path!r}: {error}") from None


def status_of(path: Path, *, check: bool = False) -> str:
    """The status of the trial in a run directory; see `Study.status`.

    Args:
        path: the directory.
        check: whether to look if the files are as long as the summary says. After a loss of power one may be shorter:
            the trial then counts as unfinished.

    Raises:
        InputError: its summary cannot be read.
    """
    try:
        with open(path / directory.SUMMARY, "rb") as file:
            summary = json.loads(file.read())
        if not check or all((path / name).stat().st_size == size for name, size in summary["files"].items()):
            return str(summary["status"])
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        pass
    except OSError as error:
        raise InputError(f"cannot read {str(path / directory.SUMMARY)!r}: {error.strerror}") from None
    return UNFINISHED if (path / directory.CONFIG).exists() else MISSING


def ended(status: str) -> bool:
    """Whether a status is that of a trial which has come to its end: its last episode, or its threshold."""
    return status == directory.FINISHED or status.startswith("stopped: the mean of the last")


def _column(name: str, values: tuple[str, ...]) -> np.ndarray:
    if name in ("episode", "length"):
        return np.array(values, np.int64)
    return np.array(values, str if name == "architecture" else np.float64)


def _take(event: dict[str, Any], segments: list[dict[str, Any]]) -> None:
    """Adds a line of architectures.jsonl to the segments."""
    match event["event"]:
        case "ask":
            begun = {"segment": event["segment"], "first": event["episode"], "last": None}
            about = {"architecture": event["architecture"], "reason": event["reason"], "accepted": True}
            segments.append(begun | about | {"score": None, "cost": None, "transfer": None, "prune": None})
        case "transfer":
            segments[-1] |= {"architecture": event["to"], "transfer": event}
        case "prune":
            segments[-1]["prune"] = event
        case "tell":
            names = ("architecture", "score", "cost", "accepted")
            segments[-1] |= {"last": event["episode"]} | {name: event[name] for name in names}
