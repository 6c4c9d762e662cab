"""The file of a table: one npz archive without pickle, documented in docs/table.md for readers without this package."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from nasdqn_fast.errors import DamageError, InputError
from nasdqn_fast.storage import npz
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.study.table.plan import Cell, Plan
from nasdqn_fast.study.table.rows import Row
from nasdqn_fast.study.table.tasks import Task

FORMAT = 1
ABOUT = "learning curves of DQN agents; nasdqn-fast tabulate; MIT licence; docs/table.md describes every array"
ARRAYS = (
    *("format", "about", "tasks", "settings", "scales", "observation_sizes", "n_actions", "architectures", "builds"),
    *("task", "architecture", "seed", "build", "returns", "lengths", "evaluated_after", "evaluations"),
    *("steps", "updates", "parameters", "flop"),
)
_INT16 = np.iinfo(np.int16)

Arrays = Mapping[str, np.ndarray]


def encoded(plan: Plan, rows: Iterable[Row]) -> dict[str, np.ndarray]:
    """The arrays of a table.

    Args:
        plan: of the table.
        rows: those of `Plan.cells`, in their order.

    Raises:
        InputError: the returns of a task do not fit into int16 with the task's scale.
    """
    cells, rows = plan.cells(), list(rows)
    builds = sorted({json.dumps(row["build"], sort_keys=True) for row in rows})
    tasks, architectures = list(plan.tasks), list(plan.architectures)
    task = np.array([tasks.index(cell.task) for cell in cells], np.int16)
    first = [rows[int(np.argmax(task == i))] for i in range(len(tasks))]
    returns = np.array([row["returns"] for row in rows])
    scales = np.array([_scale(Task.parse(name), returns[task == i]) for i, name in enumerate(tasks)])
    lengths = np.array([row["lengths"] for row in rows])
    return {
        "format": np.array(FORMAT),
        "about": np.array(ABOUT),
        "tasks": np.array(tasks),
        "settings": np.array([json.dumps(plan.settings(name), sort_keys=True) for name in tasks]),
        "scales": scales,
        "observation_sizes": np.array([row["observation_size"] for row in first]),
        "n_actions": np.array([row["n_actions"] for row in first]),
        "architectures": np.array(architectures),
        "builds": np.array(builds),
        "task": task,
        "architecture": np.array([architectures.index(cell.architecture) for cell in cells], np.int16),
        "seed": np.array([cell.seed for cell in cells]),
        "build": np.array([builds.index(json.dumps(row["build"], sort_keys=True)) for row in rows], np.int16),
        "returns": np.rint(returns / scales[task, None]).astype(np.int16),
        "lengths": lengths.astype(np.uint16 if lengths.max() <= np.iinfo(np.uint16).max else np.int64),
        "evaluated_after": np.arange(1, plan.episodes // plan.evaluate_every + 1) * plan.evaluate_every,
        "evaluations": np.array([row["evaluations"] for row in rows], np.float32),
        **{name: np.array([row[name] for row in rows]) for name in ("steps", "updates", "parameters", "flop")},
    }


def _scale(task: Task, returns: np.ndarray) -> float:
    """The unit of a task's returns: its own, or 1 for whole numbers, else the least of 1, 2, 5 x 10^k that fits."""
    largest = float(np.abs(returns).max())
    if task.scale is not None:
        if round(largest / task.scale) > _INT16.max:
            raise InputError(
                f"task {task.name}: a return of {largest:g} does not fit into int16 in units of {task.scale:g}; "
                "give the environment itself, as inverted-pendulum, for which a unit is chosen"
            )
        return task.scale
    if largest <= _INT16.max and (returns == np.rint(returns)).all():
        return 1.0
    units: Sequence[float] = [float(f"{digit}e{power}") for power in range(-30, 35) for digit in (1, 2, 5)]
    return next(unit for unit in units if round(largest / unit) <= _INT16.max)


def save(path: Path, arrays: Arrays) -> None:
    """Writes a table; equal arrays give equal bytes.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)  # type: ignore[arg-type]
    with replacing(path, durable=True) as file:
        file.write(content.getvalue())


def load(path: Path) -> dict[str, np.ndarray]:
    """Reads a table.

    Raises:
        InputError: there is no such file, it is damaged or no table, or of a format that this version does not know.
    """
    try:
        arrays = npz.read(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read the table {str(path)!r}: {error.strerror}") from None
    except DamageError as error:
        raise InputError(f"{str(path)!r} is damaged or no table: {error}") from None
    if "format" not in arrays or arrays["format"].shape or arrays["format"].dtype.kind not in "iu":
        raise InputError(f"{str(path)!r} is no table of learning curves")
    if int(arrays["format"]) != FORMAT:
        raise InputError(f"{str(path)!r} has format {int(arrays['format'])}; this version reads format {FORMAT}")
    if missing := [name for name in ARRAYS if name not in arrays]:
        raise InputError(f"{str(path)!r} is no whole table: it lacks {', '.join(missing)}")
    return arrays


def cells(arrays: Arrays) -> list[Cell]:
    """What each row is of."""
    columns = (arrays["tasks"][arrays["task"]], arrays["architectures"][arrays["architecture"]], arrays["seed"])
    return [Cell(str(task), str(name), int(seed)) for task, name, seed in zip(*columns, strict=True)]
