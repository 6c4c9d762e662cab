"""Updates of wide networks on large minibatches: whether the kernels stay near the limit beyond the caches."""

from __future__ import annotations

import itertools

from nasdqn_fast.benchmarking.case import Case, arithmetic, repeated
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import N_ACTIONS, OBSERVATION_SIZE, learning_agent
from nasdqn_fast.flop import update_flop
from nasdqn_fast.space import Architecture

ON_REQUEST = True
DEPTHS = (2, 3)
WIDTHS = (64, 128, 256, 512, 1_024)
BATCHES = (64, 128, 256, 512)


def case(architecture: Architecture, batch: int) -> Case:
    """One `DQNAgent.learn`; of 3x1024 and 512 transitions it takes a tenth of a second."""
    agent = learning_agent(architecture, batch_size=batch)
    return Case(
        f"{architecture}, batch {batch}",
        Unit.MICROSECONDS,
        repeated(agent.learn),
        limit=arithmetic(update_flop(architecture, OBSERVATION_SIZE, N_ACTIONS, batch)),
    )


def figures(session: Session) -> list[Figure]:
    shapes = itertools.product(DEPTHS, WIDTHS, BATCHES)
    cases = [case(Architecture.uniform(depth, width, "relu"), batch) for depth, width, batch in shapes]
    return session.measure("growth", cases)
