"""One run: its trainer, those who listen to it, and the states it can be taken up from."""

from __future__ import annotations

import contextlib
import shlex
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nasdqn_fast import interrupts, plugins
from nasdqn_fast.config import Config, to_toml
from nasdqn_fast.errors import InputError, WriteError
from nasdqn_fast.events import Event, Played, Resumed
from nasdqn_fast.run.assembly import make_environment, make_trainer, optimum
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.directory import CHECKPOINTS, CONFIG, FINISHED, clear, forget_end, unwritable
from nasdqn_fast.run.log import RunLog
from nasdqn_fast.run.provenance import build_facts
from nasdqn_fast.run.result import Recorder, RunResult, Times
from nasdqn_fast.storage.atomic import replacing, sync_folder
from nasdqn_fast.storage.cadence import Cadence, Schedule
from nasdqn_fast.storage.state_file import check_storable

Listener = Callable[[Event], None]


class Run:
    """A run in memory; `begin` or `take_up` gives it a directory, which nobody else may use meanwhile.

    Args:
        config: every setting.
        progress: called with every event.

    Raises:
        InputError: a setting that only now shows to be wrong; nothing has been written.
    """

    def __init__(self, config: Config, progress: Listener | None) -> None:
        self.config = config
        self.progress = progress
        self.environment = make_environment(config)
        self.environment_code = self.environment.fingerprint()  # as it is compiled now, whatever changes later
        self.started = time.perf_counter()
        self.trainer = make_trainer(config, self.environment)
        # After all that can be wrong has been found, but before training: it may take seconds the first time, which
        # nobody wants to wait after Ctrl-C. They are not counted.
        paused = time.perf_counter()
        self.optimum = optimum(self.environment)
        self.started += time.perf_counter() - paused
        self.recorder = Recorder()
        self.build = build_facts()
        self.log: RunLog | None = None
        self._told = True  # recorder and log know of the last event
        self._then: dict[str, str] = {}  # what the run was begun with, if an earlier process did

    @property
    def episodes_done(self) -> int:
        """Episodes that have ended, those of an earlier process included."""
        return self.trainer.episodes_done

    def begin(self, out: Path) -> None:
        """Writes to this directory, where nothing is, or nothing but the config of this run.

        Raises:
            InputError: it cannot be written.
        """
        controller = self.trainer.controller
        try:
            check_storable(controller.get_state())  # known now, and not after hours
        except TypeError as error:
            raise InputError(f"controller {plugins.name_of(type(controller))}: get_state(): {error}") from None
        before = (out / CONFIG).exists()
        try:
            if not before:
                with replacing(out / CONFIG, durable=True) as file:
                    file.write(to_toml(self.config).encode())
            self._write_to(RunLog(out))
            sync_folder(out)
        except OSError as error:
            with contextlib.suppress(OSError):  # so that the same command can be given again
                clear(out)
                if not before:
                    (out / CONFIG).unlink(missing_ok=True)
            raise unwritable(out, error) from None

    def take_up(self, out: Path) -> None:
        """Goes on from the newest checkpoint in this directory that is sound; there is at least one file.

        Raises:
            InputError: none can be used, or they belong to another config.
            OSError: one cannot be read, which says nothing about its content.
        """
        checkpoints, damage = Checkpoints(out / CHECKPOINTS), []
        for path in checkpoints.newest_first():
            try:
                self._set_state(checkpoints.load(path), out)
            except (InputError, OSError, MemoryError):
                raise
            except Exception as error:  # of a damaged state, anything
                reason = " ".join(str(error).split()) or type(error).__name__
                damage.append((path, f"{path.name} ({reason})"))
                continue
            for damaged, why in damage:
                warnings.warn(f"checkpoint {why} cannot be used; going on from the one before", stacklevel=2)
                damaged.unlink()
            forget_end(out)
            self._warn_of_changes()
            return
        raise InputError(
            f"no checkpoint in {str(out)!r} can be used: {', '.join(why for _, why in damage)}; "
            f"train --config {out / CONFIG} --out DIR repeats the run from its beginning"
        )

    def train(self) -> RunResult:
        """Trains to the end, and concludes however the end comes."""
        # Held back all the time, and let through where the run is whole: between episodes, and by the engine between
        # two steps.
        with interrupts.held() as holding:
            try:
                if self.trainer.resumable:
                    architecture = self.trainer.agent.network.architecture
                    self._tell(Resumed(self.trainer.segment, architecture, self.recorder.episodes()))
                for event in self.trainer.run():
                    self._tell(event)
                    if isinstance(event, Played):
                        interrupts.check()
                        self._save_if_due()
            except KeyboardInterrupt as interrupt:
                kind = interrupts.Terminated if isinstance(interrupt, interrupts.Terminated) else KeyboardInterrupt
                raise kind(self._stop(save=not holding.impatient)) from None
            except BaseException as error:  # training diverged, or somebody's environment or controller broke, or exits
                with contextlib.suppress(WriteError):  # of two errors the first is the one to tell
                    self._conclude(f"failed: {error}")
                raise
            result = self._conclude(FINISHED)
            if self.log is not None:
                self.checkpoints.remove()
            return result

    def _write_to(self, log: RunLog) -> None:
        self.log = log
        self.checkpoints = Checkpoints(log.out / CHECKPOINTS)
        cadence = Cadence.parse("checkpoint_every", self.config.run.checkpoint_every)
        self.schedule = Schedule(cadence, self.episodes_done)

    def _tell(self, event: Event) -> None:
        self._told = False
        self.recorder(event)
        if self.log is not None:
            with _writing(self.log):
                self.log(event)
        self._told = True
        if self.progress is not None:
            self.progress(event)

    def _save_if_due(self) -> None:
        if self.log is not None and self.schedule.due(self.episodes_done):
            started = time.monotonic()
            self._save(self.log)
            self.schedule.saved(self.episodes_done, time.monotonic() - started)

    def _save(self, log: RunLog) -> None:
        with _writing(log):
            self.checkpoints.save(self._get_state(log))

    def _stop(self, *, save: bool) -> str:
        """Leaves the run so that it can be taken up again; what to tell about it.

        Args:
            save: False if the signal was let through where the run may not be whole: the last checkpoint must do.
        """
        message = f"interrupted after {self.episodes_done} episodes"
        if self.log is None:
            self._conclude("interrupted")
            return message
        try:
            # At a switch, and before the log knows of it, a listener may have acted as Ctrl-C does.
            if save and self.trainer.resumable and self._told:
                self._save(self.log)
            self._conclude("interrupted")
        except WriteError as error:
            return f"{message}; {error}"
        return f"{message}; to go on: {_resuming(self.log)}"

    def _get_state(self, log: RunLog) -> dict[str, Any]:
        return {
            "config": _plain(self.config),
            "build": self.build,
            "environment": self.environment_code,
            "seconds": self._times().get_state(),
            "log": log.get_state(),
            "recorder": self.recorder.get_state(),
            "trainer": self.trainer.get_state(),
        }

    def _set_state(self, state: dict[str, Any], out: Path) -> None:
        now = _plain(self.config)
        # Settings that a later version has added are not in the state, and have their defaults.
        changed = [
            f"{key} = {value!r}"
            for section, values in state["config"].items()
            for key, value in values.items()
            if now.get(section, {}).get(key) != value
        ]
        if changed:
            raise InputError(
                f"{str(out / CONFIG)!r} was changed: the run was begun with {', '.join(changed)}; restore it, "
                f"or begin another run with train --config {out / CONFIG} --out DIR"
            )
        self.trainer.set_state(state["trainer"])
        self.recorder.set_state(state["recorder"])
        counts = self.episodes_done, len(self.recorder.episodes()), state["log"]["episode"]
        if len(set(counts)) > 1:
            raise ValueError(f"its parts count {', '.join(map(str, counts))} episodes")
        times = Times.of_state(state["seconds"])
        self._then = {**state["build"], "environment": state["environment"]}
        # The files come last, for what was written after the state is cut off them.
        try:
            log = RunLog(out, state["log"])
        except OSError as error:  # no fault of the state's
            raise InputError(f"cannot go on writing {error.filename or str(out)!r}: {error.strerror}") from None
        self.started -= times.total
        self.trainer.clock.seconds.update({name: s for name, s in times.get_state().items() if name != "total"})
        self._write_to(log)

    def _warn_of_changes(self) -> None:
        """Whatever may lead to other bits than where the run was begun."""
        now = {**self.build, "environment": self.environment_code}
        # The kernel's release, which the platform names, has no part in the numbers.
        changed = [f"{k} {then}" for k, then in self._then.items() if k != "platform" and now.get(k) != then]
        if changed:
            warnings.warn(
                f"the run was begun with {', '.join(changed)}: it goes on, but not to the bit as it would have there",
                stacklevel=4,
            )

    def _times(self) -> Times:
        return Times(total=time.perf_counter() - self.started, **self.trainer.clock.seconds)

    def _conclude(self, status: str) -> RunResult:
        result = RunResult(
            config=self.config,
            environment=self.environment,
            status=status,
            episodes=self.recorder.episodes(),
            segments=self.recorder.segments(),
            network=self.trainer.agent.network,
            times=self._times(),
            optimum=self.optimum,
            out=None if self.log is None else self.log.out,
        )
        if self.log is not None:
            with _writing(self.log):
                self.log.close(result)
        return result


@contextlib.contextmanager
def _writing(log: RunLog) -> Iterator[None]:
    """Tells of a full disk, and the like, what has become of the run."""
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"the run in {log.out} cannot be written: {error.strerror or error}; "
            f"when there is room again: {_resuming(log)}"
        ) from error


def _resuming(log: RunLog) -> str:
    return f"nasdqn-fast resume {shlex.quote(str(log.out))}"


def _plain(config: Config) -> dict[str, dict[str, Any]]:
    return config.model_dump(mode="json")
