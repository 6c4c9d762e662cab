"""A listener that writes scalars for TensorBoard, under the tags of CleanRL (extra ``[tensorboard]``)."""

from __future__ import annotations

import math
import os
import socket
import time
from typing import Any

from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Evaluated, Event, Played, Resumed
from nasdqn_fast.extras import optional
from nasdqn_fast.types import Episodes
from nasdqn_fast.validation import check_path

PREFIX = "events.out.tfevents."


class TensorBoard:
    """Writes event files: ``train(..., progress=TensorBoard("logs"))``, then ``tensorboard --logdir logs``.

    Scalars, by global step, an episode at a time: ``charts/episodic_return``, ``charts/episodic_length``,
    ``charts/epsilon``, ``charts/SPS`` (steps a second since the process began) and ``losses/td_loss`` (the mean of the
    episode's updates; none without any). With ``evaluate_every`` also ``eval/episodic_return``, the mean of an
    evaluation. The global step is that of the episodes that have ended. An object serves one run.

    Args:
        folder: made if it is not there.
        resume: it holds the event files of earlier processes of the same run, which is resumed. TensorBoard then leaves
            out what they wrote after the episode from which the run continues.

    Raises:
        MissingExtra: the ``tensorboard`` package is not installed.
        InputError: the folder holds event files, and `resume` is false; or it is a file.
    """

    def __init__(self, folder: str | os.PathLike[str], *, resume: bool = False) -> None:
        self._proto = optional("tensorboard.compat.proto.event_pb2", "tensorboard")
        self._records = optional("tensorboard.summary.writer.record_writer", "tensorboard")
        self.folder = check_path("folder", folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{str(self.folder)!r} is a file; choose a folder")
        self._earlier = sorted(path.name for path in self.folder.glob(f"{PREFIX}*"))
        if self._earlier and not resume:
            raise InputError(f"{str(self.folder)!r} holds event files already; choose another folder")
        self._file = self.folder
        self._step = self._first_step = 0
        self._started = time.perf_counter()

    def __call__(self, event: Event) -> None:
        events: list[Any] = []
        if self._file == self.folder:
            events += self._begin(event.episodes if isinstance(event, Resumed) else None)
        if isinstance(event, Played):
            events += self._of_episodes(event.episodes)
        elif isinstance(event, Evaluated):
            events.append(self._scalars({"eval/episodic_return": event.mean}))
        if events:
            # Opened anew, so that nothing is left open or unwritten whenever the run or the process ends.
            with self._file.open("ab") as file:
                writer = self._records.RecordWriter(file)
                for record in events:
                    writer.write(record.SerializeToString())

    def _begin(self, episodes: Episodes | None) -> list[Any]:
        """A file that TensorBoard reads after those that are there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        seconds = int(time.time())
        if self._earlier:
            last = self._earlier[-1].removeprefix(PREFIX).partition(".")[0]
            seconds = max(seconds, int(last) + 1 if last.isdecimal() else 0)
        self._file = self.folder / f"{PREFIX}{seconds:010d}.{socket.gethostname()}.{os.getpid()}.0"
        self._started = time.perf_counter()
        records = [self._proto.Event(wall_time=time.time(), file_version="brain.Event:2")]
        if not self._earlier:
            records += [] if episodes is None else self._of_episodes(episodes, speed=False)
            self._first_step = self._step
            return records
        if episodes is not None:
            self._step = self._first_step = int(episodes.lengths.sum())
        start = self._proto.SessionLog(status=self._proto.SessionLog.START)
        return [*records, self._proto.Event(wall_time=time.time(), step=self._step + 1, session_log=start)]

    def _of_episodes(self, episodes: Episodes, *, speed: bool = True) -> list[Any]:
        records = []
        columns = (episodes.returns, episodes.lengths, episodes.epsilons, episodes.losses)
        total = self._step + int(episodes.lengths.sum()) - self._first_step
        per_second = int(total / max(time.perf_counter() - self._started, 1e-9))
        for value, length, epsilon, loss in zip(*(column.tolist() for column in columns), strict=True):
            self._step += length
            scalars = {"charts/episodic_return": value, "charts/episodic_length": length, "charts/epsilon": epsilon}
            if speed:
                scalars["charts/SPS"] = per_second
            if not math.isnan(loss):
                scalars["losses/td_loss"] = loss
            records.append(self._scalars(scalars))
        return records

    def _scalars(self, values: dict[str, float]) -> Any:
        record = self._proto.Event(wall_time=time.time(), step=self._step)
        for tag, value in values.items():
            record.summary.value.add(tag=tag, simple_value=value)
        return record
