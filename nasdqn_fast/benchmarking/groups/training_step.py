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
    OPTIMIZERS,
    learning_agent,
)
from nasdqn_fast.flop import update_flop
from nasdqn_fast.space import Architecture

PRIORITIZED = ARCHITECTURES[1]  # the network whose prioritized step is timed, too
DEAD = 800  # updates after which Adam's moments of units that are dead from the start have decayed to nothing


def case(
    architecture: Architecture, capacity: int = CAPACITY, optimizer: str = "sgd", replay_sampling: str = "uniform"
) -> Case:
    """Whole episodes of the pendulum under a full replay memory; of the arithmetic only the update is counted."""
    agent = learning_agent(architecture, capacity, optimizer, replay_sampling=replay_sampling)
    if optimizer == "adam":
        agent.run_episodes(DEAD // EPISODE)
    unusual = [word for word in (optimizer, replay_sampling) if word not in ("sgd", "uniform")]
    return Case(
        ", ".join([str(architecture), *unusual]),
        Unit.STEPS,
        agent.run_episodes,
        items=EPISODE,
        limit=arithmetic(update_flop(architecture, OBSERVATION_SIZE, N_ACTIONS, BATCH)),
    )


def figures(session: Session) -> list[Figure]:
    cases = [case(architecture, optimizer=optimizer) for architecture in ARCHITECTURES for optimizer in OPTIMIZERS]
    cases.append(case(PRIORITIZED, replay_sampling="prioritized"))
    timings = session.time(cases)
    pairs = zip(timings[1:-1:2], timings[:-1:2], strict=True)
    ratios = [session.ratio("training-step", f"{adam.case.name} : sgd, speed", adam, sgd) for adam, sgd in pairs]
    uniform = timings[2 * ARCHITECTURES.index(PRIORITIZED)]
    ratios.append(session.ratio("training-step", f"{timings[-1].case.name} : uniform, speed", timings[-1], uniform))
    return session.figures("training-step", timings) + ratios
