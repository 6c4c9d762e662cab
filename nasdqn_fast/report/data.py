"""What a report is made of: outcomes and returns, read once; and the two tidy tables written while reading."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nasdqn_fast.errors import InputError
from nasdqn_fast.metrics import ROLLING_WINDOW
from nasdqn_fast.run.directory import EPISODES
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.study.outcomes import Group, Outcome, Outcomes

TRIALS_CSV, EPISODES_CSV = "trials.csv", "episodes.csv"
# Columns of trials.csv after task, method, label and seed: attributes of `Outcome`.
COLUMNS = (
    "episodes",
    "steps",
    "final_mean",
    "final_std",
    "best",
    "reached",
    "mean_return",
    "train",
    "search",
    "total",
    "search_share",
    "parameters",
    "flop",
)


@dataclass(frozen=True, eq=False)
class TaskData:
    """All trials of a task that have ended.

    Attributes:
        task: the environment.
        groups: label -> its trials, in the study's order.
        returns: label -> float32 (trials, episodes), NaN after the end of a shorter run.
    """

    task: str
    groups: Mapping[str, Group]
    returns: Mapping[str, np.ndarray]

    @property
    def threshold(self) -> float:
        """Mean return at which the task counts as solved; NaN where nothing is agreed on."""
        return next(iter(self.groups.values())).threshold

    @property
    def optimum(self) -> float:
        """Best possible mean return; NaN where it is not known."""
        return next(iter(self.groups.values())).optimum

    @property
    def episodes(self) -> int:
        """Of the longest run."""
        return max(returns.shape[1] for returns in self.returns.values())

    @cached_property
    def searches(self) -> dict[str, Group]:
        """The groups of which a run has had more than one architecture."""
        return {
            label: group
            for label, group in self.groups.items()
            if any(len({part.architecture for part in outcome.segments}) > 1 for outcome in group.outcomes)
        }

    @property
    def window(self) -> int:
        """Episodes of a rolling mean: 50, or fewer where runs are short."""
        return max(1, min(ROLLING_WINDOW, self.episodes // 4))


def read_returns(folder: Path, outcomes: Outcomes) -> dict[str, TaskData]:
    """Returns of all trials that have ended, by task; writes ``episodes.csv`` of the study on the way.

    Raises:
        InputError: a file of a run is damaged.
        OSError: the table cannot be written.
    """
    result = {}
    with replacing(folder / EPISODES_CSV) as file:
        file.write(b"task,label,seed,episode,return,length,epsilon,loss,architecture\n")
        for task in outcomes.tasks:
            groups = {group.label: group for group in outcomes.of(task)}
            if groups:
                returns = {label: _returns_of(group, file) for label, group in groups.items()}
                result[task] = TaskData(task, groups, returns)
    return result


def write_trials(folder: Path, outcomes: Outcomes) -> None:
    """Writes ``trials.csv``: a row a trial that has ended.

    Raises:
        OSError: it cannot be written.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("task", "method", "label", "seed", *COLUMNS))
    for group in outcomes.groups.values():
        for outcome in group.outcomes:
            values = (_cell(getattr(outcome, name)) for name in COLUMNS)
            rows.writerow((group.task, group.method, group.label, outcome.seed, *values))
    with replacing(folder / TRIALS_CSV) as file:
        file.write(text.getvalue().encode())


def rolling(returns: np.ndarray, window: int) -> np.ndarray:
    """Rolling means of each run, float64 (trials, episodes - window + 1); NaN after the end of a shorter run."""
    sums = np.cumsum(np.pad(returns, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    return (sums[:, window:] - sums[:, :-window]) / window


def _returns_of(group: Group, file: io.BufferedRandom) -> np.ndarray:
    length = max(outcome.episodes for outcome in group.outcomes)
    returns = np.full((len(group), length), np.nan, np.float32)
    for row, outcome in zip(returns, group.outcomes, strict=True):
        text = _episodes_text(outcome)
        prefix = _csv_line(group.task, group.label, outcome.seed)
        lines = text.partition(b"\n")[2].rstrip(b"\n")
        if outcome.episodes:
            row[: outcome.episodes] = _return_column(text, outcome)
            file.write(prefix + lines.replace(b"\n", b"\n" + prefix) + b"\n")
    return returns


def _episodes_text(outcome: Outcome) -> bytes:
    path = f"{outcome.path}/{EPISODES}"
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise InputError(f"cannot read {path!r}: {error.strerror}") from None


def _return_column(text: bytes, outcome: Outcome) -> np.ndarray:
    """float64 (episodes,): the second column, the number of rows that the summary says."""
    try:
        if text[:15] != b"episode,return,":
            raise ValueError("its first line is not that of a run's episodes")
        rows = (line.split(b",", 2)[1] for line in text.splitlines()[1:])
        found = np.fromiter(map(float, rows), np.float64, outcome.episodes)
    except (ValueError, IndexError) as error:
        raise InputError(f"{outcome.path + '/' + EPISODES!r} is damaged: {error}") from None
    return found


def _csv_line(*values: object) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=",").writerow(values)
    return text.getvalue().encode()


def _cell(value: float) -> object:
    with contextlib.suppress(TypeError, ValueError):
        if value != value:
            return ""
    return value


def thinned(length: int, most: int = 400) -> np.ndarray:
    """Indices of at most so many points of a curve, the last among them."""
    return np.unique(np.linspace(0, length - 1, min(length, most)).round().astype(int)) if length else np.empty(0, int)


def changes(outcome: Outcome) -> Iterator[tuple[int, str, str]]:
    """The switches of a run: first episode under the new architecture, counted from 0; old and new architecture."""
    for before, after in zip(outcome.segments, outcome.segments[1:], strict=False):
        yield after.first - 1, before.architecture, after.architecture
