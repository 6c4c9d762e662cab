"""Learning steps from Python: a sample of 64 and a Double-DQN update, against the arithmetic limit."""

from __future__ import annotations

from nasdqn_fast.benchmarking.case import Case, arithmetic, repeated
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import (
    ARCHITECTURES,
    BATCH,
    N_ACTIONS,
    OBSERVATION_SIZE,
    learning_agent,
)
from nasdqn_fast.flop import update_flop
from nasdqn_fast.space import Architecture


def case(architecture: Architecture) -> Case:
    """One `DQNAgent.learn`."""
    agent = learning_agent(architecture)
    return Case(
        str(architecture),
        Unit.MICROSECONDS,
        repeated(agent.learn),
        limit=arithmetic(update_flop(architecture, OBSERVATION_SIZE, N_ACTIONS, BATCH)),
    )


def figures(session: Session) -> list[Figure]:
    return session.measure("learning-step", [case(architecture) for architecture in ARCHITECTURES])
