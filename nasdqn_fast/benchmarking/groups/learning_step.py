"""Learning steps from Python: a sample of 64 and a Double-DQN update, against the arithmetic limit."""

from __future__ import annotations

from nasdqn_fast.benchmarking.case import Case, arithmetic, repeated
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import (
    ARCHITECTURES,
    BATCH,
    CAPACITY,
    ENVIRONMENT,
    N_ACTIONS,
    OBSERVATION_SIZE,
    filled_replay,
    learning_agent,
)
from nasdqn_fast.engine import DQNSupernet
from nasdqn_fast.engine.supernet_plan import SupernetPlan
from nasdqn_fast.flop import update_flop
from nasdqn_fast.space import Architecture, SearchSpace


def case(architecture: Architecture) -> Case:
    """One `DQNAgent.learn`."""
    agent = learning_agent(architecture)
    return Case(
        str(architecture),
        Unit.MICROSECONDS,
        repeated(agent.learn),
        limit=arithmetic(update_flop(architecture, OBSERVATION_SIZE, N_ACTIONS, BATCH)),
    )


def supernet_case() -> Case:
    """One `DQNSupernet.learn`: four paths of the paper's 27."""
    plan = SupernetPlan(SearchSpace.paper())
    agent = DQNSupernet(ENVIRONMENT, plan, replay=filled_replay(CAPACITY), warm_up=0)
    return Case(
        f"four of {len(plan.space)} in one network",
        Unit.MICROSECONDS,
        repeated(agent.learn),
        limit=arithmetic(plan.update_flop(OBSERVATION_SIZE, N_ACTIONS, BATCH)),
    )


def figures(session: Session) -> list[Figure]:
    cases = [case(architecture) for architecture in ARCHITECTURES]
    return session.measure("learning-step", [*cases, supernet_case()])
