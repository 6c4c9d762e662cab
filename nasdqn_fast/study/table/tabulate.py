"""Makes a table: its missing rows in threads, then, when all are there, its one file."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from nasdqn_fast.errors import InputError
from nasdqn_fast.events import STOP, Event
from nasdqn_fast.flop import update_flop
from nasdqn_fast.run.api import train
from nasdqn_fast.run.directory import FINISHED, unwritable
from nasdqn_fast.run.signals import with_message
from nasdqn_fast.space import Architecture
from nasdqn_fast.study.cores import cores
from nasdqn_fast.study.shards import parse_shard
from nasdqn_fast.study.table import file as table_file
from nasdqn_fast.study.table.plan import Cell, Plan
from nasdqn_fast.study.table.rows import Row, RowFiles
from nasdqn_fast.validation import check_path, check_positive_int

TABLE = "table.npz"
# What a step costs beside the arithmetic of its update, in operations: 2x32 trains at 90,000 steps/s, 4x128 at 4,000.
_OVERHEAD = 300_000


@dataclass(frozen=True)
class Tabulated:
    """What a call of `tabulate` has come to.

    Args:
        table: the file, if every row is there.
        rows: of the table.
        missing: rows that are not there: other shards', and those that have failed.
        failures: row -> why its run failed.
    """

    table: Path | None
    rows: int
    missing: int
    failures: dict[Cell, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How far it has come.

    Args:
        done, rows: finished rows of the shard, and all of them.
        last: the row that was finished last; None before the first.
        seconds_left: as far as can be told; None before the first row.
    """

    done: int
    rows: int
    last: Cell | None
    seconds_left: float | None


def tabulate(
    out: str | Path,
    plan: Plan | None = None,
    *,
    shard: str | None = None,
    threads: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Tabulated:
    """Trains every architecture on every task with every seed, and writes ``out/table.npz``.

    Rows that are there already are not computed again: the same call continues after an interruption, also with more
    tasks, architectures or seeds. Whatever computed the rows, in whichever order, the table is the same to the bit,
    given the same build and CPU target.

    Args:
        out: directory; each finished row is a file in ``out/rows``.
        plan: what the table has; the default is that of the table that ships with the package.
        shard: ``"K/N"``: compute every N-th row only, from the K-th. Shards may run at once, on one directory or on
            several whose ``rows`` are copied together afterwards; the last one, or the same call after it, writes the
            table.
        threads: runs at once; None: one for each core.
        progress: called after each row, in its thread, never twice at once.

    Raises:
        InputError: the directory holds rows that were made with other settings, or cannot be written.
        KeyboardInterrupt: as usual; finished rows are on the disk, of the others nothing.
        OSError: a row cannot be written.
    """
    plan, out = plan or Plan(), check_path("out", out)
    number, of = parse_shard(shard)
    threads = cores() if threads is None else check_positive_int("threads", threads)
    files = RowFiles(out, plan)
    try:
        files.prepare()
    except OSError as error:
        raise unwritable(out, error) from None
    mine = plan.shard(number, of)
    missing = [cell for cell in mine if files.load(cell) is None]
    failures = _Workers(plan, files, mine, missing, progress).work(threads)
    rows = [files.load(cell) for cell in plan.cells()]
    whole: list[Row] = [row for row in rows if row is not None]
    if len(whole) < len(rows):
        return Tabulated(None, len(rows), len(rows) - len(whole), failures)
    table_file.save(out / TABLE, table_file.encoded(plan, whole))
    return Tabulated(out / TABLE, len(rows), 0)


class _Workers:
    """Threads that take one row after the other, until there is none or something ends all.

    Args:
        plan, files: of the table.
        mine: the shard's rows.
        missing: those of them that are to be computed, in order.
        progress: as for `tabulate`.
    """

    def __init__(
        self,
        plan: Plan,
        files: RowFiles,
        mine: list[Cell],
        missing: list[Cell],
        progress: Callable[[Progress], object] | None,
    ) -> None:
        self._plan, self._files, self._progress = plan, files, progress
        self._rows, self._queue = len(mine), deque(missing)
        self._left = {cell: _operations(plan, cell) for cell in missing}
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._failures: dict[Cell, str] = {}
        self._fatal: BaseException | None = None
        self._spent: dict[str, tuple[float, float]] = {}  # task -> operations done, and the seconds they took

    def work(self, threads: int) -> dict[Cell, str]:
        """Computes the rows; returns those whose runs failed, and why."""
        if not self._queue:
            return {}
        self._threads = min(threads, len(self._queue))
        self._tell(None)
        with ThreadPoolExecutor(self._threads) as pool:
            futures = [pool.submit(self._take_rows) for _ in range(self._threads)]
            try:
                # Not Thread.join: until Python 3.13 a thread whose join is interrupted counts as ended.
                while wait(futures, timeout=0.1).not_done:  # not for ever: Python answers signals between two calls
                    pass
            except KeyboardInterrupt as interrupt:
                self._stop.set()
                self._fatal = interrupt
        if isinstance(self._fatal, KeyboardInterrupt):
            done = self._rows - len(self._left)
            message = f"interrupted; {done:,} of {self._rows:,} rows are saved, the same command computes the others"
            raise with_message(self._fatal, message) from None
        if self._fatal is not None:
            raise self._fatal
        return self._failures

    def _take_rows(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                if not self._queue:
                    return
                cell = self._queue.popleft()
            began = monotonic()
            try:
                saved = self._compute(cell)
            # Of the settings or the disk, so that no other row would do better; or a signal, for all threads.
            except (InputError, OSError, KeyboardInterrupt) as error:
                self._end(error)
            except Exception as error:
                with self._lock:
                    self._failures[cell] = f"{type(error).__name__}: {error}"
            else:
                if saved:
                    self._note(cell, monotonic() - began)

    def _end(self, error: BaseException) -> None:
        """Makes all threads stop, and the main one raise the first such error."""
        with self._lock:
            self._fatal = self._fatal or error
        self._stop.set()

    def _compute(self, cell: Cell) -> bool:
        """Trains a row and saves it; returns whether it was not stopped."""

        def listener(event: Event) -> object:
            return STOP if self._stop.is_set() else None

        result = train(config=self._plan.config(cell), progress=listener)
        if result.status != FINISHED:
            return False
        self._files.save(cell, result)
        return True

    def _note(self, cell: Cell, seconds: float) -> None:
        with self._lock:
            operations = self._left.pop(cell)
            done, spent = self._spent.get(cell.task, (0.0, 0.0))
            self._spent[cell.task] = done + operations, spent + seconds
            try:
                self._tell(cell)
            except BaseException as error:  # of the caller's function
                self._fatal = self._fatal or error
                self._stop.set()

    def _tell(self, last: Cell | None) -> None:
        if self._progress is not None:
            self._progress(Progress(self._rows - len(self._left), self._rows, last, self._seconds_left()))

    def _seconds_left(self) -> float | None:
        """By what rows of the same task have taken or, where there is none yet, those of all tasks."""
        if not self._spent:
            return None
        operations, seconds = map(sum, zip(*self._spent.values(), strict=True))
        usual = seconds / operations
        paces = {task: spent / done for task, (done, spent) in self._spent.items()}
        return sum(left * paces.get(cell.task, usual) for cell, left in self._left.items()) / self._threads


def _operations(plan: Plan, cell: Cell) -> float:
    """What a step of this row costs, up to a factor that is the task's."""
    batch = plan.config(cell).agent.batch_size
    # Inputs and outputs are few beside the units of a layer, and how many hardly matters.
    return _OVERHEAD + update_flop(Architecture.parse(cell.architecture), 4, 3, batch=batch)
