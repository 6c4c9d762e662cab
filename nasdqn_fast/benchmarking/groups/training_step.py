"""Training steps: environment step, action, store, sample and Double-DQN update; what the package is for."""

from __future__ import annotations

from nasdqn_fast.benchmarking.case import Case, arithmetic
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import (
    ARCHITECTURES,
    BATCH,
    CAPACITY,
    EPISODE,
    N_ACTIONS,
    OBSERVATION_SIZE,
    learning_agent,
)
from nasdqn_fast.flop import update_flop
from nasdqn_fast.space import Architecture


def case(architecture: Architecture, capacity: int = CAPACITY) -> Case:
    """Whole episodes of the pendulum under a full replay memory; of the arithmetic only the update is counted."""
    agent = learning_agent(architecture, capacity)
    return Case(
        str(architecture),
        Unit.STEPS,
        agent.run_episodes,
        items=EPISODE,
        limit=arithmetic(update_flop(architecture, OBSERVATION_SIZE, N_ACTIONS, BATCH)),
    )


def figures(session: Session) -> list[Figure]:
    return session.measure("training-step", [case(architecture) for architecture in ARCHITECTURES])
