"""Runs the trials of a study on any executor, a window of them at a time."""

from __future__ import annotations

import contextlib
import itertools
import queue
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any

from nasdqn_fast.config import Config
from nasdqn_fast.run.directory import FINISHED
from nasdqn_fast.run.signals import PATIENCE, with_message
from nasdqn_fast.study.plan import Trial
from nasdqn_fast.study.progress import Progress
from nasdqn_fast.study.study import Study, ended
from nasdqn_fast.study.trial import BUSY, FAILED, INTERRUPTED, Outcome, run_trial

TICK = 0.1  # s between two looks at the progress
TRIES = 4  # of a trial whose worker was lost

Show = Callable[[Progress], object]
Run = Callable[..., Outcome]


class Runner:
    """Sends trials to an executor and takes in what became of them.

    Args:
        study: which.
        configs: (task, label) -> settings.
        executor: runs `run_trial`; in threads of this process if `ours`.
        halt: makes trials that run save themselves and end; see `run_trial`.
        window: trials handed to the executor at a time: as many as it has workers, and some that wait.
        show: called with the progress, often, in the calling thread; None: nothing is.
        ours: the executor's threads are of this process, and get its signals.
        shard: (number from 0, of how many).
        run: what the executor runs, with the arguments of `run_trial`.
    """

    def __init__(
        self,
        study: Study,
        configs: Mapping[tuple[str, str], Config],
        executor: Executor,
        halt: Any,
        *,
        window: Callable[[], int],
        show: Show | None = None,
        ours: bool,
        shard: tuple[int, int] = (0, 1),
        run: Run = run_trial,
    ) -> None:
        self._run_one = run
        self._study, self._configs, self._executor, self._halt = study, configs, executor, halt
        self._window, self._ours, self._shard = window, ours, shard
        self._show = show or (lambda _: None)
        self._ended: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
        self._flying: dict[Future[Outcome], tuple[int, Trial]] = {}
        self._lost: dict[Trial, int] = {}
        self._done = bytearray(len(study.plan))  # of each trial, in order; a set would take a hundred times as much
        trials = 0
        for index, _, is_done in self._looked_at(self._is_mine):
            self._done[index] = is_done
            trials += 1
        self.progress = study.progress(trials, before=sum(self._done))

    def run(self) -> Progress:
        """Runs this shard's trials, then whatever is left and no other process has.

        Raises:
            KeyboardInterrupt: as usual; every trial that ran has been saved.
            BrokenExecutor: the executor takes no more trials.
        """
        try:
            mine = ((i, t) for i, t in enumerate(self._study.trials()) if not self._done[i] and self._is_mine(t))
            self._run(mine)
            # Of shards that were killed, or are slower than this one; and what was in use at its turn.
            before = -1
            while before != self.progress.ended and not all(self._done):
                before = self.progress.ended
                self._run(self._left())
        except BaseException as error:
            self._halt_all()
            if isinstance(error, KeyboardInterrupt):
                raise with_message(error, self._how_it_stands()) from None
            raise
        return self.progress

    def _is_mine(self, trial: Trial) -> bool:
        number, shards = self._shard
        return trial.shard(shards) == number

    def _left(self) -> Iterator[tuple[int, Trial]]:
        for index, trial, is_done in self._looked_at(lambda trial: trial not in self.progress.failed):
            self._done[index] = is_done
            if is_done:
                self.progress.busy.discard(trial)  # another process has ended it since
            else:
                yield index, trial

    def _looked_at(self, wanted: Callable[[Trial], bool]) -> Iterator[tuple[int, Trial, bool]]:
        """Index and trial of those wanted that are not known to be done, and whether they are."""
        indices = {}
        number = itertools.count()

        def is_wanted(trial: Trial) -> bool:
            index = next(number)
            if self._done[index] or not wanted(trial):
                return False
            indices[trial] = index
            return True

        for trial, status in self._study.statuses(is_wanted):
            yield indices.pop(trial), trial, ended(status)

    def _run(self, trials: Iterable[tuple[int, Trial]]) -> None:
        waiting = iter(trials)
        more = True
        while more or self._flying:
            while more and len(self._flying) < self._window():
                if (following := next(waiting, None)) is None:
                    more = False
                else:
                    self._send(*following)
            self.progress.running = len(self._flying)
            self._show(self.progress)
            if self._flying:
                self._take_next()
        self._show(self.progress)

    def _send(self, index: int, trial: Trial) -> None:
        config = self._configs[trial.task, trial.label]
        count = self.progress.count if self._ours else None  # elsewhere it would count nothing
        future = self._executor.submit(self._run_one, trial, config, self._halt, count)
        self._flying[future] = index, trial
        future.add_done_callback(self._ended.put)

    def _take_next(self) -> None:
        try:
            future = self._ended.get(timeout=TICK)
        except queue.Empty:
            return
        index, trial = self._flying.pop(future)
        try:
            outcome = future.result()
        except BrokenExecutor:
            raise
        except (Exception, CancelledError) as error:  # of the executor: the trial itself raises nothing
            self._send_again(index, trial, f"{type(error).__name__}: {error}")
            return
        self._take(index, trial, outcome)

    def _take(self, index: int, trial: Trial, outcome: Outcome) -> None:
        progress = self.progress
        progress.busy.discard(trial)
        if outcome.status == INTERRUPTED:
            if self._ours:
                raise KeyboardInterrupt
            self._send_again(index, trial, "its worker is ended again and again")
        elif outcome.status == BUSY:
            progress.busy.add(trial)
        elif outcome.status == FAILED:
            progress.failed[trial] = outcome.message
        else:
            progress.ended += 1
            self._done[index] = True
            progress.trials += not self._is_mine(trial)
            if outcome.message:
                progress.noted += 1
                progress.note = progress.note or outcome.message

    def _send_again(self, index: int, trial: Trial, why: str) -> None:
        """A worker was lost, or is being ended: another continues from the last checkpoint."""
        self._lost[trial] = self._lost.get(trial, 0) + 1
        if self._lost[trial] < TRIES:
            self._send(index, trial)
        else:
            self.progress.failed[trial] = f"lost {TRIES} times: {why}"

    def _halt_all(self) -> None:
        """Waits until every trial that runs is saved."""
        self.progress.closed = True
        self._halt.set()
        for future in self._flying:
            future.cancel()
        started = time.monotonic()
        while self._flying:
            try:
                future = self._ended.get(timeout=TICK)
            except queue.Empty:
                self._show_closing()
                continue
            except KeyboardInterrupt:
                if time.monotonic() - started > PATIENCE:
                    raise  # a run is stuck
                continue  # timeout(1) and some schedulers send a signal twice
            self._flying.pop(future)
            if not future.cancelled() and future.exception() is None:
                self.progress.ended += future.result().status == FINISHED

    def _show_closing(self) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            self._show(self.progress)

    def _how_it_stands(self) -> str:
        progress = self.progress
        return (
            f"interrupted after {progress.before + progress.ended:,} of {progress.trials:,} {progress.several}; all "
            "others that had begun are saved, and the same command continues"
        )


def window_of(workers: int) -> int:
    """Trials to hand to that many workers at a time."""
    return 2 * workers + 2
