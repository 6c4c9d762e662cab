"""Forward passes from Python, against the arithmetic limit."""

from __future__ import annotations

import functools

import numpy as np

from nasdqn_fast.benchmarking.case import Case, arithmetic, repeated
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import ARCHITECTURES, N_ACTIONS, OBSERVATION_SIZE
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.flop import forward_flop
from nasdqn_fast.space import Architecture

ROWS = (1, 64, 4_096)


def case(architecture: Architecture, rows: int) -> Case:
    """Q of that many observations."""
    network = QNetwork(architecture, OBSERVATION_SIZE, N_ACTIONS)
    observations = np.random.default_rng(0).standard_normal((rows, OBSERVATION_SIZE), np.float32)
    return Case(
        f"{architecture}, {rows:,} rows" if rows > 1 else f"{architecture}, 1 row",
        Unit.MICROSECONDS,
        repeated(functools.partial(network.forward, observations)),
        limit=arithmetic(forward_flop(architecture, OBSERVATION_SIZE, N_ACTIONS, rows)),
    )


def figures(session: Session) -> list[Figure]:
    return session.measure("forward", [case(a, rows) for a in ARCHITECTURES for rows in ROWS])
