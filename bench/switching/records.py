"""Tables that grow by the rows of finished jobs, so that a run which is stopped continues."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """All rows, as text; none if there is no file."""
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def collect(path: Path, columns: Sequence[str], keys: int, jobs: int, tasks: Iterable[Callable[[], list[Row]]]) -> None:
    """Runs tasks side by side, and adds the rows of each when it is done; at last they are sorted by `keys` columns."""
    tasks = list(tasks)
    if not tasks:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs) as pool:
        for finished in as_completed([pool.submit(task) for task in tasks]):
            _write(path, columns, read(path) + finished.result())
    _write(path, columns, sorted(read(path), key=lambda row: [str(row[column]) for column in columns[:keys]]))


def _write(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
