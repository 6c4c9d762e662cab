"""The whole of it: groups by name, measured in a process of its own."""

from __future__ import annotations

import importlib
import multiprocessing
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from nasdqn_fast._core import cpu
from nasdqn_fast.benchmarking import machine, peer_check
from nasdqn_fast.benchmarking.figure import Figure
from nasdqn_fast.benchmarking.folder import groups
from nasdqn_fast.benchmarking.measure import Stopwatch
from nasdqn_fast.benchmarking.report import Report, disturbed
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.errors import InputError, suggest

WITH_PEERS = ("growth", "peers", "threads")  # groups that have rows for them
ROUNDS = 50_000  # of multiply-adds in a bracket: some 100 us, 2 % of what it brackets


@dataclass(frozen=True)
class Request:
    """What to measure.

    Args:
        groups: names; none means those that need not be asked for.
        seconds: to spend, preparations apart; groups that make whole runs take what they need.
        cpu_target: which kernels; None is the choice of NASDQN_FAST_CPU, or the best.
        peers: the other libraries to show beside ours, none of them named meaning all; None shows none. They have rows
            in the groups `WITH_PEERS`, of which ``peers`` is added if none is named.

    Raises:
        InputError: no such group, CPU target or peer, or the peers are asked for where they are not.
    """

    groups: tuple[str, ...] = ()
    seconds: float = 5.0
    cpu_target: str | None = None
    peers: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name in self.groups:
            if name not in groups():
                raise InputError(f"unknown group {name!r}: {suggest(name, groups())}")
        if "peers" in self.groups or self.peers is not None:
            known = peer_check.known()  # before anything is measured
            for name in self.peers or ():
                if name not in known:
                    raise InputError(f"unknown peer {name!r}: {suggest(name, known)}")
        if self.cpu_target is not None and self.cpu_target not in cpu.available():
            raise InputError(
                f"CPU target {self.cpu_target!r} is not one of this machine; available: {', '.join(cpu.available())}"
            )

    def chosen(self) -> dict[str, Any]:
        """Name -> module of the groups to measure."""
        found = {name: importlib.import_module(module) for name, module in groups().items()}
        usual = [name for name, module in found.items() if not getattr(module, "ON_REQUEST", False)]
        also = () if self.peers is None or set(self.groups) & set(WITH_PEERS) else ("peers",)
        return {name: found[name] for name in dict.fromkeys((*(self.groups or usual), *also))}


def run_apart(request: Request) -> Report:
    """`run` in a fresh process with one thread a library, which those that are loaded here could not be told any more.

    Raises:
        InputError: what was asked for cannot be measured.
    """
    apart = multiprocessing.get_context("spawn")
    with machine.one_thread(), ProcessPoolExecutor(1, mp_context=apart) as process:
        return process.submit(run, request).result()


def run(request: Request) -> Report:
    """Measures, on one core where the system allows that."""
    before = machine.busy_before()
    if request.cpu_target is not None:
        cpu.select(request.cpu_target)
    about = machine.describe(machine.pin())
    groups = request.chosen()
    session = Session(stopwatch(), request.seconds / len(groups), peers=request.peers)
    session.stopwatch.time(lambda: None)  # there is a peak, even if no group times anything with it
    figures = tuple(measure(session, groups))
    warnings = [warning for warning in (before, disturbed(figures), *session.warnings) if warning]
    return Report(about | session.facts, session.stopwatch.peak, figures, tuple(warnings))


def stopwatch() -> Stopwatch:
    """One whose brackets are multiply-adds on the CPU target in use."""
    return Stopwatch(lambda: cpu.peak(ROUNDS))


def measure(session: Session, groups: dict[str, Any]) -> Iterable[Figure]:
    """Group after group; somebody who waits at a terminal is told which."""
    for name, module in groups.items():
        if sys.stderr is not None and sys.stderr.isatty():
            print(f"measuring {name}", file=sys.stderr)
        yield from module.figures(session)
