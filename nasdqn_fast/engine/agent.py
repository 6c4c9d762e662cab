"""The DQN agent on the compiled loop (Rahmani et al. 2025, arXiv:2510.19872, section 2.3.1)."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast._core.learner import LearnerCore
from nasdqn_fast._core.loop import LoopCore
from nasdqn_fast._core.population import PopulationCore
from nasdqn_fast._core.python_lanes import PythonLanes
from nasdqn_fast._core.signals import Watch
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.base_agent import BaseAgent
from nasdqn_fast.engine.loop_state import check_loop_state
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer
from nasdqn_fast.engine.replay import ReplayBuffer
from nasdqn_fast.envs.python import Play, PythonEnvironment
from nasdqn_fast.errors import Stopped
from nasdqn_fast.types import Episodes
from nasdqn_fast.validation import check_positive_int, check_rng, check_unit_interval


class DQNAgent(BaseAgent[QNetwork, ReplayBuffer, Optimizer]):
    __doc__ = BaseAgent.__doc__

    network_type = QNetwork
    replay_type = ReplayBuffer
    optimizer_type = Optimizer

    _learners = 1  # networks that learn from the memory
    _own_targets = False  # several of them share one

    def _start(self) -> None:
        self._core = self._new_core()
        self._player: PythonLanes | None = None
        learners = [LearnerCore(self.replay, self.settings, self.environment.n_actions) for _ in range(self._learners)]
        self._population = PopulationCore(learners, self._own_targets)
        self._loop = self._new_loop()

    def _new_loop(self) -> LoopCore:
        return LoopCore(self._core, self.settings, self.streams.env, self.streams.policy, self._population)

    def _new_core(self) -> EnvironmentCore | PythonLanes:
        environment, n = self.environment, self.settings.num_envs
        if isinstance(environment, PythonEnvironment):
            return PythonLanes(environment, n, environment.together(n) or environment.play(n, training=True))
        return EnvironmentCore(environment)

    def _core_to_play(self) -> EnvironmentCore | PythonLanes:
        """That of `play_episodes`: environments in Python are others than those in training."""
        environment = self.environment
        if not isinstance(environment, PythonEnvironment):
            return self._core
        self._player = self._player or PythonLanes(environment)
        play = self._player.play
        assert isinstance(play, Play)
        play.reseed()
        return self._player

    def copied_play(self, lane: int) -> Play | None:
        """A copy of a lane's environment, in Python, in the middle of its episode; None if it cannot be copied."""
        return self._core.play.copied(lane) if isinstance(self._core, PythonLanes) else None

    def take_play(self, play: Play) -> None:
        """Trains in the environment of another agent's `copied_play` from now on."""
        assert isinstance(self.environment, PythonEnvironment)
        self._core = PythonLanes(self.environment, 1, play)
        self._loop = self._new_loop()
        self._use_networks()

    @property
    def whole(self) -> bool:
        """Whether there is a state to save: not after an error, unless an environment in Python has raised it."""
        return self._loop.whole

    def _use(self, network: QNetwork, target: QNetwork, optimizer: Optimizer, stand_in: QNetwork | None) -> None:
        self._loop.use(network, target, optimizer, stand_in=stand_in)

    def _counters(self) -> tuple[int, int, int]:
        return self._loop.counters

    @property
    def unreported(self) -> int:
        """Episodes that have ended and that no call of `run_episodes` has returned yet."""
        return self._loop.unreported

    def run_episodes(self, n: int, stop: StopToken | None = None) -> Episodes:
        """Plays and learns until n episodes have ended, or ``settings.steps`` are made, with the GIL released.

        Episodes beyond n that end in the same vector step are returned first by the next call, and lanes in
        the middle of an episode continue in it. So do those of a call that was stopped, between two steps or two
        updates of a step. After an error, all lanes begin new episodes.

        Args:
            n: episodes; fewer are returned when the last step is made before they have ended.
            stop: stops the call when another thread sets it; None: Ctrl-C and other signals are answered as usual, by
                what their handler raises, in the main thread.

        Raises:
            Stopped: `stop` is set.
            NonFiniteError: a loss, weight, observation or reward is not finite.
            StepError: the environment's step reported an error.
            RuntimeError: another thread uses this agent.
            Exception: whatever an environment in Python raises.
        """
        n = check_positive_int("n", n)
        return _answering_signals(lambda token: self._loop.run(n, token), stop)

    def play_episodes(
        self,
        n: int,
        epsilon: float = 0.0,
        rng: int | np.random.Generator | None = None,
        stop: StopToken | None = None,
    ) -> Episodes:
        """Plays n episodes one after the other, without learning and beside those of `run_episodes`.

        Args:
            n: episodes.
            epsilon: exploration probability; 0 is the greedy policy.
            rng: of all draws, the environment's and the policy's; None is ``streams.evaluation``.
            stop: as `run_episodes`; the episodes of a call that was stopped are lost.

        Returns:
            the episodes; their losses are NaN.

        Raises:
            Stopped, NonFiniteError, StepError, RuntimeError: as `run_episodes`.
        """
        n = check_positive_int("n", n)
        epsilon = check_unit_interval("epsilon", epsilon)
        rng = self.streams.evaluation if rng is None else check_rng("rng", rng)
        self._warn_of_no_update()
        # One lane: of several in lockstep the short episodes would end, and be counted, first.
        settings = AgentSettings(policy_epsilon_start=epsilon, policy_epsilon_end=epsilon, num_envs=1)
        loop = LoopCore(self._core_to_play(), settings, rng, rng, last_episode=n)
        loop.use(self.network)
        return _answering_signals(lambda token: loop.run(n, token), stop)

    def learn(self) -> float:
        """One update from the replay memory, and a move of the target when one is due by updates.

        Returns:
            mean loss of the minibatch, before the update, with the weights of prioritized draws.

        Raises:
            ValueError: the memory is empty.
            NonFiniteError: the loss is not finite; network, optimizer and target are as they were.
        """
        loss = self._population.update()
        if not math.isfinite(loss):
            raise self._non_finite_loss()
        return loss

    def _failed_weights(self) -> dict[str, np.ndarray]:
        return self._population.failed_weights()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the compiled parts; of these, what the loop has to continue from."""
        compiled = ("_core", "_player", "_population", "_loop")
        return {k: v for k, v in vars(self).items() if k not in compiled} | {"loop": self._loop_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        loop = state.pop("loop")
        vars(self).update(state)
        self._start()
        self._use_networks()
        self._set_loop_state(loop)

    def _use_networks(self) -> None:
        self._use(self.network, self.target, self.optimizer, self._stand_in)

    def _loop_state(self) -> dict[str, Any]:
        return self._loop.get_state()

    def _set_loop_state(self, state: dict[str, Any]) -> None:
        check_loop_state(state, self._loop.states.shape, self._loop.observations.shape)
        self._loop.set_state(state)


def _answering_signals(play: Callable[[StopToken | None], Episodes], stop: StopToken | None) -> Episodes:
    """Calls `play` with the caller's token, or with one that signals set, for Python to run their handlers.

    Python runs handlers in the main thread only, and there not while compiled code runs.
    """
    if stop is not None or threading.current_thread() is not threading.main_thread():
        return play(stop)
    token = StopToken()
    with Watch(token, every=True):
        while True:
            try:
                return play(token)
            except Stopped:
                pass
            token.clear()  # here, after the block, handlers are run; what they raise has no context
