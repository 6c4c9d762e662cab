"""Environment steps: called from Python, called from compiled code, and inside the training loop.

What compiled code calls one at a time is the step's function pointer, as the training loop does: a call a step.
"""

from __future__ import annotations

import numpy as np

from nasdqn_fast import envs, plugins
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.benchmarking.case import Case
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.engine.agent import DQNAgent

LOCKSTEP = (64, 4_096)
SEQUENCE = 64_000  # steps of one call from compiled code, all episodes together
PLAYED = 1_000  # steps of one call in the loop: enough to forget what the call itself costs


def single(name: str) -> Case:
    """One step a call, from Python."""
    lanes = _Lanes(name, 1)
    state, observation, uniforms = lanes.states[0], lanes.observations[0], lanes.uniforms[0, 0]
    action = int(lanes.actions[0, 0])

    def run(n: int) -> None:
        for _ in range(n):
            lanes.core.step(uniforms, state, action, observation)

    return Case(f"{name}, one from Python", Unit.STEPS, run, prepare=lanes.reset)


def lockstep(name: str, n_lanes: int) -> Case:
    """One step of many episodes a call, from Python: the arguments are checked each time."""
    lanes = _Lanes(name, n_lanes)
    return Case(
        f"{name}, {n_lanes:,} in lockstep from Python", Unit.STEPS, lanes.run, items=n_lanes, prepare=lanes.reset
    )


def compiled(name: str, n_lanes: int) -> Case:
    """Many steps a call, of one episode or of many in lockstep; starts over with each call."""
    lanes = _Lanes(name, n_lanes, steps=max(1, SEQUENCE // n_lanes))
    how = "one at a time" if n_lanes == 1 else f"{n_lanes:,} in lockstep"
    return Case(f"{name}, {how} in compiled code", Unit.STEPS, lanes.run_sequences, items=lanes.actions.size)


def played(name: str) -> Case:
    """Steps of the compiled loop under the smallest network there is: acting is included, so this is a lower bound."""
    agent = DQNAgent(envs.make(name, max_episode_steps=PLAYED), "1x1-relu")
    rng = np.random.default_rng(0)

    def run(n: int) -> int:
        return int(agent.play_episodes(n, rng=rng).lengths.sum())

    # Episodes may end early; as the policy stands still, their mean length is known after a few.
    steps = run(20) // 20
    return Case(f"{name}, in the loop with 1x1-relu", Unit.STEPS, run, items=steps)


def figures(session: Session) -> list[Figure]:
    cases = []
    for name in plugins.names("environments"):
        cases += [single(name), played(name), compiled(name, 1)]
        cases += [case(name, n) for n in LOCKSTEP for case in (lockstep, compiled)]
    return session.measure("environments", cases)


class _Lanes:
    """Episodes stepped in lockstep with actions drawn beforehand."""

    def __init__(self, name: str, n: int, steps: int = 1) -> None:
        environment = envs.make_compiled(name)
        kernel, rng = environment.kernel, np.random.default_rng(0)
        self.core = EnvironmentCore(environment)
        self.states = np.zeros((n, kernel.state_size))
        self.observations = np.zeros((n, kernel.observation_size), np.float32)
        self.actions = rng.integers(kernel.n_actions, size=(steps, n))
        self.uniforms = rng.random((steps, n, kernel.step_uniforms))
        self.rewards, self.flags = np.zeros(n), np.zeros(n, np.int32)
        self._starts = rng.random((n, kernel.reset_uniforms))
        self.reset()
        self._first_states = self.states.copy()

    def reset(self) -> None:
        for uniforms, state, observation in zip(self._starts, self.states, self.observations, strict=True):
            self.core.reset(uniforms, state, observation)

    def run(self, n: int) -> None:
        for _ in range(n):
            self.core.step_batch(
                self.states, self.actions[0], self.uniforms[0], self.observations, self.rewards, self.flags
            )

    def run_sequences(self, n: int) -> None:
        for _ in range(n):
            self.states[:] = self._first_states
            self.core.step_sequence(
                self.states, self.actions, self.uniforms, self.observations, self.rewards, self.flags
            )
