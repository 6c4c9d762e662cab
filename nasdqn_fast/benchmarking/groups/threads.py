"""Two runs at once: in two threads of a process, which share its interpreter lock, and in two processes.

Beside them, on request, many seeds: ours in two threads, and in libraries that train all seeds in one call.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from nasdqn_fast._core import cpu
from nasdqn_fast.benchmarking import machine, peer_check
from nasdqn_fast.benchmarking.case import Case
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.measure import Stopwatch
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import ARCHITECTURES, EPISODE, learning_agent

GROUP = "threads"
ON_REQUEST = True  # it wants all cores, of which the others leave one to whoever works beside
ARCHITECTURE = ARCHITECTURES[1]
AT_ONCE = 2
SEEDS = 8
EPISODES = 5  # of a repeat: long against the time that handing work to a process takes

_mine = threading.local()


def figures(session: Session) -> list[Figure]:
    """Training steps of both ways together, and what the threads reach of the processes."""
    cores = machine.cores()
    if len(cores) < AT_ONCE:
        session.warnings.append(f"{GROUP}: two runs at once need two cores; this process has one")
        return []
    # The work is done elsewhere: whether it had a processor all the time cannot be seen from here.
    session = dataclasses.replace(session, stopwatch=Stopwatch(session.stopwatch.product, cpu=time.perf_counter))
    setting: dict[str, Any] = {"initializer": _prepare, "initargs": (cores, cpu.current())}
    apart = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(AT_ONCE, **setting) as threads, ProcessPoolExecutor(AT_ONCE, apart, **setting) as processes:
        cases = [_case("threads", threads), _case("processes", processes)]
        timings = session.time(cases)
    ratio = session.ratio(GROUP, f"{ARCHITECTURE}, two threads : two processes", *timings)
    figures = [*session.figures(GROUP, timings), ratio]
    for name in () if session.peers is None else peer_check.chosen("ManySeeds", session.peers):
        figures += _many_seeds(session, name, setting)
    return figures


def _many_seeds(session: Session, peer: str, setting: dict[str, Any]) -> list[Figure]:
    """Training steps of all seeds together, with Adam: two of our threads, and the peer on all cores."""
    apart = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(AT_ONCE, **setting) as threads, ProcessPoolExecutor(1, apart, **setting) as process:
        version, description, compiling = process.submit(_make_peer, peer).result()
        session.facts[f"peer {peer}"] = f"{version}, {description}; compiled in {compiling:.1f} s, not counted"
        agents = [learning_agent(ARCHITECTURE, optimizer="adam") for _ in range(SEEDS)]

        def ours(n: int) -> None:
            list(threads.map(lambda agent: agent.run_episodes(n), agents))

        def theirs(n: int) -> None:
            process.submit(_run_peer, n // EPISODES).result()

        common: dict[str, Any] = {"unit": Unit.STEPS, "items": SEEDS * EPISODE, "calls": EPISODES}
        name = f"{ARCHITECTURE}, {SEEDS} seeds, adam"
        ways = {"ours in two threads": ours, peer: theirs}
        cases = [Case(f"{name}, {way}", run=run, **common) for way, run in ways.items()]
        timings = session.time(cases)
    return [*session.figures(GROUP, timings), session.ratio(GROUP, f"{name}, {peer}: ours is faster by", *timings)]


def _case(name: str, executor: Executor) -> Case:
    def run(n: int) -> None:
        list(executor.map(_play, [n] * AT_ONCE))

    return Case(f"{ARCHITECTURE}, two {name}", Unit.STEPS, run, items=AT_ONCE * EPISODE, calls=EPISODES)


def _prepare(cores: Sequence[int], cpu_target: str) -> None:
    """Makes this worker's agent, and frees it from the one core that the measuring process is tied to."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)  # 0 is the calling thread
    cpu.select(cpu_target)
    _mine.agent = learning_agent(ARCHITECTURE)


def _play(n: int) -> None:
    _mine.agent.run_episodes(n)


def _make_peer(name: str) -> tuple[str, str, float]:
    """Makes this worker's runs of the peer: its version and description, and the seconds that it compiled."""
    made = peer_check.chosen("ManySeeds", (name,))[name]
    _mine.peer = made(ARCHITECTURE, SEEDS, EPISODES * EPISODE)
    return made.version, made.description, _mine.peer.compiling


def _run_peer(calls: int) -> None:
    _mine.peer.run(calls)
