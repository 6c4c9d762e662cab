"""One run: its trainer, its listeners, and the states from which it can be resumed."""

from __future__ import annotations

import contextlib
import shlex
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from nasdqn_fast.config import Config
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.envs import AnyEnvironment
from nasdqn_fast.errors import DamageError, InputError, Stopped, WriteError
from nasdqn_fast.events import STOP, Evaluated, Event, Played, Ranked, Resumed
from nasdqn_fast.metrics import ROLLING_WINDOW, rolling_mean
from nasdqn_fast.run.assembly import make_environment, make_trainer, optimum, with_rows
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.directory import CHECKPOINTS, CONFIG, FINISHED, clear, forget_end, unwritable, write_config
from nasdqn_fast.run.log import RunLog
from nasdqn_fast.run.provenance import build_facts
from nasdqn_fast.run.result import Recorder, RunResult, Times
from nasdqn_fast.run.rewards import sizes_of, with_latencies
from nasdqn_fast.run.signals import RunSignals, with_message
from nasdqn_fast.search.greedy import GreedyEpisodes
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import Architecture
from nasdqn_fast.storage.atomic import sync_folder, syncing
from nasdqn_fast.storage.cadence import Cadence, Schedule

Listener = Callable[[Event], object]
# Settings that may change when a run is continued.
LENGTH = ("episodes", "stop_at_threshold")


class Run:
    """A run in memory; `begin` or `take_up` gives it a directory, which the caller has locked.

    Args:
        config: every setting.
        progress: called with every event.
        warm_start: False if `take_up` follows, whose state holds what an earlier run's network has become.
        environment: that of the config, which may have a name in its place; None makes it by that.
        keeps_end: whether the state at the end is kept, from which the run could be made longer.

    Raises:
        InputError: a setting that only now shows to be wrong; nothing has been written.
    """

    def __init__(
        self,
        config: Config,
        progress: Listener | None,
        *,
        warm_start: bool = True,
        environment: AnyEnvironment | None = None,
        keeps_end: bool = True,
    ) -> None:
        self.progress = progress
        self.keeps_end = keeps_end
        self.environment = make_environment(config) if environment is None else environment
        config = with_latencies(with_rows(config, self.environment), sizes_of(self.environment))
        self.config = config
        if config.run.stop_at_threshold and self.environment.kernel.threshold is None:
            raise InputError(
                f"stop_at_threshold needs an environment with a threshold; {self.environment.kernel.name!r} has none; "
                "leave it out, or return nasdqn_fast.STOP from a listener"
            )
        self.environment_code = self.environment.fingerprint()  # as it is compiled now, whatever changes later
        self.started = time.perf_counter()
        self.trainer = make_trainer(config, self.environment, warm_start=warm_start)
        # After all that can be wrong has been found, but before training: it may take seconds the first time, for
        # which Ctrl-C should not have to wait. They are not counted.
        paused = time.perf_counter()
        self.optimum = optimum(self.environment)
        self.started += time.perf_counter() - paused
        self.recorder = Recorder()
        self.best_network: Any = None  # by evaluation, or by a ranking
        self.build = build_facts()
        self.log: RunLog | None = None
        self._recorded = True  # recorder and log know of every event
        self._unsaved = ""  # why, if that is a plug-in's fault
        self._undelivered: list[Event] = []  # of a switch that is being told
        self._last_returns: deque[float] = deque(maxlen=ROLLING_WINDOW)
        self._stopped_by_listener = False
        self._began_with: dict[str, str] = {}  # build and environment, if an earlier process began the run

    @property
    def episodes_done(self) -> int:
        """Episodes that have ended, those of an earlier process included."""
        return self.trainer.episodes_done

    def begin(self, out: Path) -> None:
        """Writes to this directory, where nothing is, or nothing but the config of this run.

        Raises:
            InputError: it cannot be written.
        """
        self.trainer.check_savable()  # what is wrong with it is known now, and not after hours
        before = (out / CONFIG).exists()
        try:
            if not before:
                write_config(out, self.config)
            self._write_to(RunLog(out, evaluations=self._evaluates))
            sync_folder(out)
        except OSError as error:
            with contextlib.suppress(OSError):  # so that the same command can be given again
                clear(out)
                if not before:
                    (out / CONFIG).unlink(missing_ok=True)
            raise unwritable(out, error) from None

    def take_up(self, out: Path, *, continued: bool = False) -> None:
        """Continue from the newest sound checkpoint in this directory, which holds at least one.

        Args:
            out: the directory.
            continued: to the number of episodes of the config given, which may be another than the directory's and
                then becomes it.

        Raises:
            InputError: none can be used, they belong to another config, or the run is as long already.
            OSError: one cannot be read, which says nothing about its content.
            Exception: whatever a plug-in raises; nothing has been touched then.
        """
        checkpoints = Checkpoints(out / CHECKPOINTS)
        damaged: list[tuple[Path, str]] = []
        changed: list[str] = []
        for path in checkpoints.newest_first():
            try:
                state = checkpoints.load(path)
                # Of two states, the newer may be of a config that was about to be written when the process was killed.
                if differences := self._changed_settings(state["config"], but=LENGTH if continued else ()):
                    changed = changed or differences
                    continue
                if continued:
                    self._check_longer(state["trainer"]["episodes_done"], out)
                log = _open_log(out, state["log"], evaluations=self._evaluates)
            except DamageError as error:
                damaged.append((path, f"{path.name} ({error})"))
            else:
                break
        else:
            if changed:
                raise InputError(
                    f"{str(out / CONFIG)!r} was changed: the run was begun with {', '.join(changed)}; restore it, "
                    f"or begin another run with train --config {out / CONFIG} --out DIR"
                )
            raise InputError(
                f"no checkpoint in {str(out)!r} can be used: {', '.join(why for _, why in damaged)}; "
                f"train --config {out / CONFIG} --out DIR repeats the run from its beginning"
            )
        try:
            self._set_state(state)  # if it raises, because of a controller most likely, nothing has been touched
            forget_end(out)  # first: without a summary, what is cut off is written again
            log.cut()
            for path, why in damaged:
                warnings.warn(f"checkpoint {why} cannot be used; going on from the one before", stacklevel=3)
                checkpoints.set_aside(path)
            self._write_to(log)
            if continued:
                self._lengthen(log)
            self._warn_of_changes()
        except BaseException:
            log.close_files()
            raise

    def _check_longer(self, done: int, out: Path) -> None:
        if self.config.run.episodes <= done:
            raise InputError(
                f"the run in {str(out)!r} has {done} episodes already; got episodes = {self.config.run.episodes}; "
                f"give more than {done}"
            )

    def _lengthen(self, log: RunLog) -> None:
        """Give the run its new length. Whenever the process is killed here, a state of the config as it is remains."""
        if self._threshold_exceeded():  # which has stopped it, or would at once
            self.config = replace(self.config, run=replace(self.config.run, stop_at_threshold=False))
        self._save(log)
        with _writing(log):
            write_config(log.out, self.config)
        if self.trainer.cut_short:
            warnings.warn(
                f"segment {self.trainer.segment} ended with the run, after episode {self.episodes_done}: a new segment "
                f"begins there, where a run of {self.config.run.episodes} episodes would have gone on with it",
                stacklevel=4,
            )

    def train(self, signals: RunSignals) -> RunResult:
        """Train to the end, and write the last files however training ends."""
        # Answered where the run is whole: between episodes, and between two steps, where the engine stops.
        with signals.deferred():
            try:
                if self.trainer.resumable:
                    architecture = self.trainer.in_use
                    self._tell(Resumed(self.trainer.segment, architecture, self.recorder.episodes()))
                self._evaluate_if_due(signals)
                reason = self._reason_to_stop()
                events = iter(()) if reason else self._events(signals)
                for event in events:
                    self._tell(event)
                    if isinstance(event, Played):
                        signals.check()
                        self._evaluate_if_due(signals)
                        self._save_if_due()
                    if reason := self._reason_to_stop():
                        break
                kept = self._keep_last_state(stopped=bool(reason))
            except KeyboardInterrupt as interrupt:
                raise with_message(interrupt, self._stop(save=not signals.forced)) from None
            except BaseException as error:  # training diverged, or a plug-in or listener raised
                self._fail(error)
                raise
            result = self._conclude(f"stopped: {reason}" if reason else FINISHED)
            if kept:
                self.checkpoints.keep_newest()
            elif self.log is not None:
                self.checkpoints.remove()
            return result

    @property
    def _evaluates(self) -> bool:
        return self.config.run.evaluate_every is not None

    def _evaluate_if_due(self, signals: RunSignals) -> None:
        """Evaluate the greedy policy, unless that was done after this episode; also where a run is resumed."""
        every, done, evaluations = self.config.run.evaluate_every, self.episodes_done, self.recorder.evaluations
        if every is None or done == 0 or done % every or (evaluations and evaluations[-1].episode == done):
            return
        agent = self.trainer.agent
        # A stream of its own, the same starts every time: nothing of training moves, and networks are comparable.
        seed = self.config.run.evaluate_seed
        streams = agent.streams if seed is None else Streams(seed)
        greedy = GreedyEpisodes(agent, lambda i: streams.child("evaluation", i), signals.token)
        with self.trainer.clock.charge("evaluation"):
            while True:
                try:
                    returns = greedy.play(agent.network, self.config.run.evaluate_episodes).returns
                    break
                except Stopped:
                    signals.check()
                    greedy.steps = 0
        event = Evaluated(
            done,
            agent.network.architecture,
            mean=float(returns.mean()),
            std=float(returns.std()),
            min=float(returns.min()),
            max=float(returns.max()),
            episodes=len(returns),
            steps=greedy.steps,
        )
        if all(event.mean > earlier.mean for earlier in evaluations):
            self.best_network = agent.network.copy()
        self._tell(event)

    def _reason_to_stop(self) -> str:
        """Why the run ends before its last episode; empty if it does not."""
        if not self.trainer.resumable or self._undelivered or self.episodes_done >= self.trainer.episodes:
            return ""
        if self._stopped_by_listener:
            return "a listener returned STOP"
        if self.config.run.stop_at_threshold and self._threshold_exceeded():
            threshold = self.environment.kernel.threshold
            return f"the mean of the last {ROLLING_WINDOW} episodes exceeds {threshold:g}"
        return ""

    def _threshold_exceeded(self) -> bool:
        threshold = self.environment.kernel.threshold
        if threshold is None or len(self._last_returns) < ROLLING_WINDOW:
            return False
        return bool(rolling_mean(list(self._last_returns), ROLLING_WINDOW)[0] > threshold)

    def _keep_last_state(self, *, stopped: bool) -> bool:
        """Save the state at the end, from which the run can be continued; returns whether there is one."""
        if self.log is None or (not stopped and (self._keeps_nothing or not self.keeps_end)):
            return False
        if self.trainer.open_ended and not stopped:
            return bool(self.checkpoints.newest_first())  # saved before the segment's end: it may have another
        if saved := self._save_if_whole():
            return saved
        warnings.warn(f"{self._unsaved}the run cannot be continued", stacklevel=4)
        return False

    def _events(self, signals: RunSignals) -> Iterator[Event]:
        """The trainer's events; where a signal stopped it and its handler returned, it continues."""
        while True:
            try:
                yield from self.trainer.run(signals.token)
                return
            except Stopped:
                signals.check()

    def _write_to(self, log: RunLog) -> None:
        self.log = log
        self.checkpoints = Checkpoints(log.out / CHECKPOINTS)
        cadence = Cadence.parse("checkpoint_every", self.config.run.checkpoint_every)
        self._keeps_nothing = cadence == Cadence()
        self.schedule = Schedule(cadence, self.episodes_done)

    def _tell(self, event: Event) -> None:
        """Tell recorder and log at once, and the listener only where the run is whole, because it may raise."""
        self._recorded = False
        self.recorder(event)
        if isinstance(event, Played):
            self._last_returns.extend(event.episodes.returns.tolist())
        if isinstance(event, Ranked):
            self.best_network = event.network
        if self.log is not None:
            with _writing(self.log):
                self.log(event)
        self._recorded = True
        self._undelivered.append(event)
        while self.trainer.resumable and self._undelivered:
            event = self._undelivered.pop(0)
            if self.progress is not None and self.progress(event) is STOP:
                self._stopped_by_listener = True

    def _save_if_due(self) -> None:
        if self.log is None:
            return
        # Of a segment that lasts as long as the run, the end is known only now: a longer run continues it.
        at_end = self.trainer.open_ended and self.episodes_done == self.trainer.episodes
        last = at_end and self.keeps_end and not self._keeps_nothing
        if last or self.schedule.due(self.episodes_done):
            started = time.monotonic()
            self._save(self.log)
            self.schedule.saved(self.episodes_done, time.monotonic() - started)

    def _save(self, log: RunLog) -> None:
        state = self._get_state()  # asks plug-ins, whose OSErrors are not of writing
        with _writing(log), syncing(True):
            self.checkpoints.save(state | {"log": log.get_state()})

    def _stop(self, *, save: bool) -> str:
        """Leave the run so that it can be resumed.

        Args:
            save: False if the signal was let through where the run may not be whole: the last checkpoint must do.

        Returns:
            the message for the user.
        """
        message = f"interrupted after {self.episodes_done} episodes"
        try:
            saved = save and self._save_if_whole()
            self._conclude("interrupted")
        except WriteError as error:
            with contextlib.suppress(WriteError):
                self._conclude("interrupted")
            return f"{message}; {error}"
        return message if self.log is None else f"{message}; {self._how_to_go_on(self.log, saved)}"

    def _fail(self, error: BaseException) -> None:
        """Leave the run as `_stop` does, after an error that no other error may hide."""
        saved = False
        with contextlib.suppress(WriteError):
            saved = not isinstance(error, WriteError) and self._save_if_whole()
        with contextlib.suppress(WriteError):
            self._conclude(f"failed: {error}")
        if self.log is not None and not isinstance(error, WriteError):
            error.add_note(self._how_to_go_on(self.log, saved))

    def _save_if_whole(self) -> bool:
        """Save the state unless something is half done; returns whether it was saved."""
        if self.log is None or not (self.trainer.resumable and self._recorded):
            return False
        try:
            self._save(self.log)
        except WriteError:
            raise
        except Exception as error:  # of a controller's get_state; what made the run end is what goes up
            self._unsaved = f"its state cannot be saved ({type(error).__name__}: {error}); "
            return False
        return True

    def _how_to_go_on(self, log: RunLog, saved: bool) -> str:
        if saved:
            return f"to go on: {_resuming(log)}"
        if self.checkpoints.newest_first():
            return f"{self._unsaved}to go on from the last checkpoint: {_resuming(log)}"
        return f"{self._unsaved}nothing is saved yet; to start over: {_resuming(log)}"

    def _get_state(self) -> dict[str, Any]:
        """All but where the log ends."""
        return {
            "config": self.config.as_json(),
            "build": self.build,
            "environment": self.environment_code,
            "seconds": asdict(self._times()),
            "recorder": self.recorder.get_state(),
            "best_network": self.best_network and _network_state(self.best_network),
            "trainer": self.trainer.get_state(),
        }

    def _changed_settings(self, then: dict[str, dict[str, Any]], *, but: tuple[str, ...]) -> list[str]:
        """Settings of a state that differ from the config's, but for some of [run]."""
        now = self.config.as_json()
        # Settings that a later version has added are not in the state, and have their defaults.
        return [
            f"{key} = {value!r}"
            for section, values in then.items()
            for key, value in values.items()
            if now.get(section, {}).get(key) != value and not (section == "run" and key in but)
        ]

    def _set_state(self, state: dict[str, Any]) -> None:
        self._began_with = {**state["build"], "environment": state["environment"]}
        self.recorder.set_state(state["recorder"])
        self._last_returns.extend(self.recorder.episodes().returns[-ROLLING_WINDOW:].tolist())
        self.trainer.set_state(state["trainer"], self.recorder.episodes())
        if best := state.get("best_network"):
            self.best_network = self.trainer.agent.network.like(Architecture.parse(best["architecture"]), None)
            self.best_network.restore(best["parameters"], best.get("normalizer"), best.get("base", ()))
        seconds = dict(state["seconds"])
        self.started -= seconds.pop("total")
        self.trainer.clock.seconds.update(seconds)

    def _warn_of_changes(self) -> None:
        """Whatever may lead to other bits than where the run was begun."""
        now = {**self.build, "environment": self.environment_code}
        # The kernel's release, which the platform names, has no part in the numbers.
        changed = [f"{k} {then}" for k, then in self._began_with.items() if k != "platform" and now.get(k) != then]
        if changed:
            warnings.warn(
                f"the run was begun with {', '.join(changed)}: it continues, but not bit-identically",
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
            evaluations=tuple(self.recorder.evaluations),
            best_network=self.best_network,
            ranking=self.recorder.ranking,
        )
        if self.log is not None:
            with _writing(self.log):
                self.log.close(result)
        return result


def _open_log(out: Path, state: dict[str, Any], *, evaluations: bool) -> RunLog:
    try:
        return RunLog(out, state, evaluations=evaluations)
    except OSError as error:  # says nothing about the state
        raise InputError(f"cannot go on writing {error.filename or str(out)!r}: {error.strerror}") from None


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


def _network_state(network: BaseNetwork) -> dict[str, Any]:
    state = {"architecture": str(network.architecture), "parameters": network.parameters}
    if base := network.base_state():
        state["base"] = base
    return state if network.normalizer is None else state | {"normalizer": network.normalizer.get_state()}
