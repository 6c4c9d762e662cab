"""The training step of other libraries, interleaved with ours: those that are installed and do the same arithmetic."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from nasdqn_fast.benchmarking import peer_check
from nasdqn_fast.benchmarking.figure import Figure
from nasdqn_fast.benchmarking.groups import training_step
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import ARCHITECTURES, EPISODE
from nasdqn_fast.space import Architecture

ON_REQUEST = True
GROUP = "peers"
SEED = 0


def figures(session: Session) -> list[Figure]:
    peers = peer_check.installed(peer_check.folder())
    trainings = {name: peer.Training for name, peer in peers.items()}
    session.facts |= {f"peer {name}": f"{made.version}, {made.description}" for name, made in trainings.items()}
    part = dataclasses.replace(session, seconds=session.seconds / len(ARCHITECTURES))
    return [figure for architecture in ARCHITECTURES for figure in _against(part, architecture, trainings)]


def _against(session: Session, architecture: Architecture, trainings: dict[str, Any]) -> list[Figure]:
    ours = training_step.case(architecture)
    cases = [dataclasses.replace(ours, name=f"{architecture}, ours")]
    for name, make in trainings.items():
        training = make(architecture, SEED)
        disagreement = peer_check.disagreement(training, architecture)
        if disagreement > 1:
            session.warnings.append(
                f"{name} is left out for {architecture}: its loss and gradient differ from ours by {disagreement:.1f} "
                f"times the {peer_check.TOLERANCE:g} allowed"
            )
            continue
        cases.append(dataclasses.replace(ours, name=f"{architecture}, {name}", run=_episodes(training)))
    timings = session.time(cases)
    ratios = [
        session.ratio(GROUP, f"{timing.case.name}: ours is faster by", timings[0], timing) for timing in timings[1:]
    ]
    return session.figures(GROUP, timings) + ratios


def _episodes(training: Any) -> Callable[[int], None]:
    def run(n: int) -> None:
        training.run(n * EPISODE)

    return run
