"""Environment steps: called from Python, called from compiled code, and inside the training loop.

What compiled code calls one at a time is the step's function pointer, as the training loop does: a call a step.

Of environments in Python, one whose step costs next to nothing shows what the loop adds to a step, and Gymnasium's own
CartPole is trained with what Stable-Baselines3 and CleanRL do for each step by default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
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
GYMNASIUM = "CartPole-v1"
# What costs time in the default DQN of each; their schedules and limits do not.
AS_OTHERS_DO: dict[str, tuple[str, dict[str, Any]]] = {
    "Stable-Baselines3": ("64,64-relu", {"batch_size": 32, "train_every": 4, "gradient_clip_by": "norm"}),
    "CleanRL": ("120,84-relu", {"batch_size": 128, "train_every": 10, "gradient_clip_by": "none"}),
}


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


def played(env: Any, name: str = "") -> Case:
    """Steps of the compiled loop under the smallest network there is: acting is included, so this is a lower bound."""
    agent = DQNAgent(envs.make(env, max_episode_steps=PLAYED), "1x1-relu")
    rng = np.random.default_rng(0)

    def run(n: int) -> int:
        return int(agent.play_episodes(n, rng=rng).lengths.sum())

    # Episodes may end early; as the policy stands still, their mean length is known after a few.
    steps = run(20) // 20
    return Case(f"{name or env}, in the loop with 1x1-relu", Unit.STEPS, run, items=steps)


class Idle(gymnasium.Env[np.ndarray, np.integer]):
    """An environment whose step costs next to nothing."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (4,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self) -> None:
        self._observation = np.zeros(4, np.float32)
        self._stepped: tuple[np.ndarray, float, bool, bool, dict[str, Any]] = self._observation, 1.0, False, False, {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        return self._observation, {}

    def step(self, action: np.integer) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return self._stepped


def stepped_in_python(name: str, make: Callable[[], Any]) -> Case:
    """Steps of an environment in Python by itself, called from Python; episodes are begun anew."""
    env, action = make(), np.int64(1)
    env.reset(seed=0)

    def run(n: int) -> None:
        for _ in range(n):
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return Case(f"{name}, its own step", Unit.STEPS, run)


def trained(library: str) -> Case:
    """Training steps on Gymnasium's CartPole, with the network, minibatch and train frequency of another library."""
    architecture, settings = AS_OTHERS_DO[library]
    agent = DQNAgent(
        GYMNASIUM, architecture, optimizer="adam", updates_per_train=1, warm_up=PLAYED, loss="huber", **settings
    )
    agent.run_episodes(100)  # past the warm-up

    def run(n: int) -> int:
        last = agent.steps + n * PLAYED
        while agent.steps < last:
            agent.run_episodes(1)
        return agent.steps

    return Case(f"Gymnasium's {GYMNASIUM}, trained as {library} does by default", Unit.STEPS, run, items=PLAYED)


def figures(session: Session) -> list[Figure]:
    cases = [
        stepped_in_python("an idle one in Python", Idle),
        played(Idle, "an idle one in Python"),
        stepped_in_python(f"Gymnasium's {GYMNASIUM}", lambda: gymnasium.make(GYMNASIUM)),
        played(GYMNASIUM, f"Gymnasium's {GYMNASIUM}"),
        *map(trained, AS_OTHERS_DO),
    ]
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
