"""The training step of other libraries, interleaved with ours: those that are installed and do the same arithmetic."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from nasdqn_fast.benchmarking import peer_check
from nasdqn_fast.benchmarking.figure import Figure
from nasdqn_fast.benchmarking.groups import training_step
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import ARCHITECTURES, CAPACITY, EPISODE, OPTIMIZERS
from nasdqn_fast.space import Architecture

ON_REQUEST = True
GROUP = "peers"
SEED = 0


def figures(session: Session) -> list[Figure]:
    trainings = peer_check.chosen("Training", session.peers)
    session.facts |= {f"peer {name}": f"{made.version}, {made.description}" for name, made in trainings.items()}
    part = dataclasses.replace(session, seconds=session.seconds / (len(ARCHITECTURES) * len(OPTIMIZERS)))
    return [
        figure
        for architecture in ARCHITECTURES
        for optimizer in OPTIMIZERS
        for figure in _against(part, architecture, optimizer, trainings)
    ]


def _against(session: Session, architecture: Architecture, optimizer: str, trainings: dict[str, Any]) -> list[Figure]:
    setting = f"{architecture}, {optimizer}"
    able = {
        name: make for name, make in trainings.items() if optimizer in make.optimizers and make.supports(architecture)
    }
    ours = training_step.case(architecture, CAPACITY, optimizer)
    cases = [dataclasses.replace(ours, name=f"{setting}, ours")]
    for name, make in able.items():
        training = make(architecture, SEED, optimizer)
        if objection := peer_check.objection(name, setting, training, architecture, optimizer):
            session.warnings.append(objection)
            continue
        if optimizer == "adam":
            training.run(training_step.DEAD)
        cases.append(dataclasses.replace(ours, name=f"{setting}, {name}", run=_episodes(training)))
    timings = session.time(cases)
    ratios = [
        session.ratio(GROUP, f"{timing.case.name}: ours is faster by", timings[0], timing) for timing in timings[1:]
    ]
    return session.figures(GROUP, timings) + ratios


def _episodes(training: Any) -> Callable[[int], None]:
    def run(n: int) -> None:
        training.run(n * EPISODE)

    return run
