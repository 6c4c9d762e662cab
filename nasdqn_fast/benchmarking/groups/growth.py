"""Updates of wide networks on large minibatches: whether the kernels stay near the limit beyond the caches."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from nasdqn_fast.benchmarking import peer_check
from nasdqn_fast.benchmarking.case import Case, arithmetic, repeated
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import N_ACTIONS, OBSERVATION_SIZE, OPTIMIZERS, learning_agent
from nasdqn_fast.flop import update_flop
from nasdqn_fast.space import Architecture

ON_REQUEST = True
GROUP = "growth"
DEPTHS = (2, 3)
WIDTHS = (64, 128, 256, 512, 1_024)
BATCHES = (64, 128, 256, 512)


def case(architecture: Architecture, batch: int, optimizer: str = "sgd") -> Case:
    """One `DQNAgent.learn`; of 3x1024 and 512 transitions it takes a tenth of a second."""
    agent = learning_agent(architecture, optimizer=optimizer, batch_size=batch)
    return Case(
        f"{architecture}, batch {batch}",
        Unit.MICROSECONDS,
        repeated(agent.learn),
        limit=arithmetic(update_flop(architecture, OBSERVATION_SIZE, N_ACTIONS, batch)),
    )


def figures(session: Session) -> list[Figure]:
    shapes = [
        (Architecture.uniform(depth, width, "relu"), batch)
        for depth, width, batch in itertools.product(DEPTHS, WIDTHS, BATCHES)
    ]
    if session.peers is None:
        return session.measure(GROUP, [case(*shape) for shape in shapes])
    peers = peer_check.chosen("Updates", session.peers)
    session.facts |= {f"peer {name}": f"{made.version}, {made.description}" for name, made in peers.items()}
    part = dataclasses.replace(session, seconds=session.seconds / (len(shapes) * len(OPTIMIZERS)))
    found = [
        figure
        for (architecture, batch), optimizer in itertools.product(shapes, OPTIMIZERS)
        for figure in _against(part, architecture, batch, optimizer, peers)
    ]
    slower = [f"{figure.name} {figure.value:.2f}" for figure in found if figure.unit is Unit.RATIO and figure.value < 1]
    session.facts["growth, slower"] = "; ".join(slower) or "nowhere"
    return found


def _against(
    session: Session, architecture: Architecture, batch: int, optimizer: str, peers: dict[str, Any]
) -> list[Figure]:
    """Ours and the peers' that do the same arithmetic, made and thrown away again: 40 wide networks fill a memory."""
    ours = case(architecture, batch, optimizer)
    setting = f"{ours.name}, {optimizer}"
    cases = [dataclasses.replace(ours, name=f"{setting}, ours")]
    for name, make in peers.items():
        updates = make(architecture, batch, optimizer)
        if objection := peer_check.objection(name, setting, updates, architecture, optimizer):
            session.warnings.append(objection)
            continue
        cases.append(dataclasses.replace(ours, name=f"{setting}, {name}", run=updates.run))
    timings = session.time(cases)
    ratios = [
        session.ratio(GROUP, f"{timing.case.name}: ours is faster by", timings[0], timing) for timing in timings[1:]
    ]
    return session.figures(GROUP, timings) + ratios
