"""The rows of a table while it is made: one file each, whole or absent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.errors import DamageError, InputError
from nasdqn_fast.run.provenance import build_facts
from nasdqn_fast.run.result import RunResult
from nasdqn_fast.storage import state_file
from nasdqn_fast.study.table.plan import Cell, Plan

FOLDER = "rows"
FORMAT = 1

Row = dict[str, Any]


def row_of(cell: Cell, settings: dict[str, Any], result: RunResult) -> Row:
    """What a table keeps of a finished run, unrounded."""
    (segment,) = result.segments
    assert segment.cost is not None, "a finished run has told its one segment"
    return {
        "format": FORMAT,
        **vars(cell),
        "settings": settings,
        "build": build_facts(),
        "observation_size": result.environment.observation_size,
        "n_actions": result.environment.n_actions,
        "returns": result.episodes.returns,
        "lengths": result.episodes.lengths,
        "evaluations": np.array([evaluation.mean for evaluation in result.evaluations]),
        **vars(segment.cost),
    }


class RowFiles:
    """The rows of a directory.

    Several processes, on one machine or on several that share the directory, may write to it at once: equal rows are
    equal files.

    Args:
        out: the directory of the table.
        plan: what the rows must be of.
    """

    def __init__(self, out: Path, plan: Plan) -> None:
        self._folder = out / FOLDER
        self._settings = {task: plan.settings(task) for task in plan.tasks}

    def path(self, cell: Cell) -> Path:
        """The file of a row."""
        name = f"{cell.task}.{cell.architecture}.{cell.seed}"
        return self._folder / f"{re.sub(r'[^A-Za-z0-9_.,-]+', '-', name)}.npz"

    def prepare(self) -> None:
        """Makes the folder.

        Raises:
            OSError: it cannot be made.
        """
        self._folder.mkdir(parents=True, exist_ok=True)

    def save(self, cell: Cell, result: RunResult) -> None:
        """Writes a row.

        Raises:
            OSError: it cannot be written; no part of it is there then.
        """
        state_file.save(self.path(cell), row_of(cell, self._settings[cell.task], result))

    def has(self, cell: Cell) -> bool:
        """Whether there is a file of this row."""
        return self.path(cell).exists()

    def load(self, cell: Cell) -> Row | None:
        """Reads a row; None if it is missing or its file is damaged, so that it has to be computed.

        Raises:
            InputError: the row is there with other settings.
            OSError: the file cannot be read.
        """
        path = self.path(cell)
        try:
            row = state_file.load(path)
        except (FileNotFoundError, DamageError):
            return None
        if row.get("format") != FORMAT:
            raise InputError(f"{str(path)!r} has format {row.get('format')!r}; this version reads format {FORMAT}")
        if Cell(row["task"], row["architecture"], row["seed"]) != cell:
            raise InputError(f"{str(path)!r} is another row than its name says; remove it")
        if difference := _difference(row["settings"], self._settings[cell.task]):
            raise InputError(
                f"{str(path)!r} was made with {difference}; give the settings that the table was begun with, or "
                "another --out"
            )
        return row


def _difference(then: dict[str, Any], now: dict[str, Any]) -> str:
    """The first setting that is another one, as ``learning_rate = 0.1 in place of 0.2``; empty if there is none."""
    for section, values in now.items():
        for key, value in values.items():
            missing = key not in then.get(section, {})  # an earlier version did not have it: its default holds
            if not missing and then[section][key] != value:
                return f"{key} = {then[section][key]!r} in place of {value!r}"
    return ""
