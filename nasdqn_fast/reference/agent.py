"""The DQN agent in plain NumPy, how it plays: section 2.3.1 of Rahmani et al. 2025 (arXiv:2510.19872).

Double DQN (van Hasselt, Guez & Silver 2016, arXiv:1509.06461) with a replay memory and a target
network. The order of random draws is the native agent's, so that both play the same episodes until
rounding parts them.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.loop_state import check_loop_state
from nasdqn_fast.envs.python import Play, PythonEnvironment, VectorPlay
from nasdqn_fast.errors import NonFiniteError, StepError, Stopped
from nasdqn_fast.reference.lane import Lane, lanes_state, set_lanes_state, set_plays_state
from nasdqn_fast.reference.learner import Learner
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.reference.replay import ReplayBuffer
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Episodes
from nasdqn_fast.validation import check_positive_int, check_rng, check_unit_interval

Ended = tuple[float, int, float, float, int]  # return, length, mean loss, epsilon, which network of a population acted


class DQNAgent(Learner):
    """`BaseAgent` on NumPy, with one more argument.

    Args:
        dtype: float32 or float64, of network and memory.
    """

    _chose = False  # of a population: a choice of the target waits to be taken, and nothing is played meanwhile

    def __init__(self, *args: Any, dtype: DTypeLike = np.float32, **keywords: Any) -> None:
        self._dtype = dtype
        self._steps = self._updates = self._episodes = 0
        self._lanes: list[Lane] = []
        self._rows: VectorPlay | None = None  # the vector environment, if the lanes are its rows
        self._n_rows = 0  # transitions that have been stored
        self._started = False  # lanes have been reset
        self._ended: list[bool] = []  # by lane: whether the vector step in progress has ended its episode
        self._step_updates: int | None = None  # done in the vector step in progress, if one is
        self._pending: deque[Ended] = deque()
        self._actors = np.zeros(0, np.int64)
        self._in_step = False
        self._replay_version = -1  # of the memory after the last vector step
        super().__init__(*args, **keywords)

    @property
    def unreported(self) -> int:
        """Episodes that have ended and that no call of `run_episodes` has returned yet."""
        return len(self._pending)

    @property
    def whole(self) -> bool:
        """Whether the agent stands between two steps; if not, an exception has ended one, and there is no state."""
        return not self._in_step

    def run_episodes(self, n: int, stop: StopToken | None = None) -> Episodes:
        """Plays and learns until n episodes have ended, or ``settings.steps`` are made.

        Episodes beyond n that end in the same vector step are returned first by the next call, and lanes in
        the middle of an episode continue in it. So do those of a call that was stopped, between two steps or two
        updates of a step. After an error, all lanes begin new episodes.

        Args:
            n: episodes; fewer are returned when the last step is made before they have ended.
            stop: stops the call when another thread sets it; None: nothing but an exception does.

        Raises:
            Stopped: `stop` is set.
            NonFiniteError: a loss, weight, observation or reward is not finite.
            StepError: the environment's step reported an error.
        """
        n = check_positive_int("n", n)
        try:
            if not self._started:
                self._in_step = True
                for lane in self._lanes:
                    self._start_episode(lane)
                self._reset_rows()
                self._observe()
                self._started, self._in_step = True, False
            while len(self._pending) < n and not (self.finished and self._step_updates is None):
                if self._chose:
                    break
                _check(stop)
                self._in_step = True
                self._vector_step(stop)
                self._in_step = False
        except Stopped:  # between two steps, or two updates of a step
            self._in_step = False
            raise
        except (NonFiniteError, StepError):
            self._begin_anew()  # in the middle of a step
            raise
        _check(stop)
        ended = [self._pending.popleft() for _ in range(min(n, len(self._pending)))]
        self._actors = _actors(ended)
        return _episodes(ended)

    def play_episodes(
        self,
        n: int,
        epsilon: float = 0.0,
        rng: int | np.random.Generator | None = None,
        stop: StopToken | None = None,
    ) -> Episodes:
        """Plays n episodes one after the other, without learning and beside those of `run_episodes`.

        One lane only: of several in lockstep the short episodes would end, and be counted, first.

        Args:
            n: episodes.
            epsilon: exploration probability; 0 is the greedy policy.
            rng: of all draws, the environment's and the policy's; None is ``streams.evaluation``.
            stop: as `run_episodes`; the episodes of a call that was stopped are lost.

        Returns:
            the episodes; their losses are NaN.

        Raises:
            Stopped, NonFiniteError, StepError: as `run_episodes`.
        """
        n = check_positive_int("n", n)
        epsilon = check_unit_interval("epsilon", epsilon)
        rng = self.streams.evaluation if rng is None else check_rng("rng", rng)
        self._warn_of_no_update()
        self._require_finite("weights", self.network.parameters, 1)
        lane, played = Lane.of(self.environment), []
        for episode in range(1, n + 1):
            lane.reset(rng, epsilon)
            self._require_finite("observation", lane.observation, episode)
            ended = False
            while not ended:
                _check(stop)
                action = self._epsilon_greedy(lane.observation, epsilon, rng)
                reward, terminated, truncated = lane.step(action, rng)
                self._require_finite_reward(reward, episode)
                self._require_finite("observation", lane.observation, episode)
                ended = terminated or truncated
            played.append(_ended(lane, 0))
        return _episodes(played)

    def _move_target_if_due(self) -> None:
        """If targets move by steps: counted in vector steps, as Stable-Baselines3 counts."""
        settings = self.settings
        every = max(settings.target_every // settings.num_envs, 1)
        if settings.target_unit == "steps" and self._vector_steps() % every == 0:
            self._update_target()

    def _vector_steps(self) -> int:
        """The number of the vector step that was made last."""
        return self.steps // self.settings.num_envs - 1 + self.settings.first_step

    @classmethod
    def options_of(cls, dtype: str) -> dict[str, Any]:
        return {"dtype": np.dtype(dtype)}

    def _counters(self) -> tuple[int, int, int]:
        return self._steps, self._updates, self._episodes

    def _loop_state(self) -> dict[str, Any]:
        waiting = _episodes(list(self._pending))
        return {
            "started": self._started,
            "continues": self._linked(),
            "steps": self.steps,
            "updates": self.updates,
            "episodes": self.episodes,
            "step_updates": -1 if self._step_updates is None else self._step_updates,
            "lane_flags": np.array(
                [False] * self.settings.num_envs if self._step_updates is None else self._ended, np.int32
            ),
            **lanes_state(self._lanes),
            "ended_reward_sum": waiting.returns,
            "ended_length": waiting.lengths,
            "ended_mean_loss": waiting.losses,
            "ended_epsilon": waiting.epsilons,
            "ended_actor": _actors(self._pending),
            **self._state_of_environments(),
        }

    def _set_loop_state(self, state: dict[str, Any]) -> None:
        n, environment = self.settings.num_envs, self.environment
        check_loop_state(state, (n, environment.kernel.state_size), (n, environment.observation_size))
        self._replay_version = self.replay.version if state.get("continues", False) else -1
        self._steps, self._updates, self._episodes = state["steps"], state["updates"], state["episodes"]
        self._begin_anew()
        in_progress = any(lane.play is not None and lane.play.in_progress for lane in self._lanes)
        if self._rows is not None:
            self._rows.set_state(state["environments"])
        elif isinstance(environment, PythonEnvironment) and not in_progress:
            # An episode in Python cannot be continued from arrays: it begins again.
            set_plays_state(self._lanes, state["environments"])
        elif state["started"]:
            self._started = True
            set_lanes_state(self._lanes, state)
        for i, lane in enumerate(self._lanes):  # all have stored a transition in their last step
            lane.row = i
        self._n_rows = n
        step_updates = state.get("step_updates", -1)
        self._step_updates = None if step_updates < 0 or not self._started else step_updates
        self._ended = [bool(flag) for flag in state.get("lane_flags", np.zeros(n, np.int32))]
        names = "ended_reward_sum", "ended_length", "ended_mean_loss", "ended_epsilon"
        actors = state.get(
            "ended_actor", np.zeros(len(state[names[0]]), np.int64)
        )  # which earlier versions did not save
        self._pending = deque(zip(*(state[name].tolist() for name in names), actors.tolist(), strict=True))

    def _start(self) -> None:
        if self.settings.replay_sampling == "prioritized":
            self.replay.prioritize()
        environment, n = self.environment, self.settings.num_envs
        self._rows = environment.together(n) if isinstance(environment, PythonEnvironment) else None
        is_row = self._rows is not None
        self._lanes = [Lane.of(environment, training=i == 0, is_row=is_row) for i in range(n)]

    def copied_play(self, lane: int) -> Play | None:
        """A copy of a lane's environment, in Python, in the middle of its episode; None if it cannot be copied."""
        if self._rows is not None:
            return self._rows.copied(lane)
        play = self._lanes[lane].play
        return None if play is None else play.copied(0)

    def take_play(self, play: Play) -> None:
        """Trains in the environment of another agent's `copied_play` from now on."""
        self._lanes[0].play = play

    def _begin_anew(self) -> None:
        """All lanes will begin new episodes."""
        self._lanes, self._started, self._step_updates = [lane.empty() for lane in self._lanes], False, None

    def _state_of_environments(self) -> dict[str, Any]:
        if self._rows is not None:
            return {"environments": self._rows.get_state()}
        plays = [lane.play.get_state()[0] for lane in self._lanes if lane.play is not None]
        return {"environments": plays} if plays else {}

    def _new_network(self, architecture: str | Architecture, rng: np.random.Generator | None) -> QNetwork:
        sizes = self.environment.observation_size, self.environment.n_actions
        return QNetwork(architecture, *sizes, rng, self.settings.initial_weights(), dtype=self._dtype)

    def _new_replay(self) -> ReplayBuffer:
        size = self.environment.observation_size
        return ReplayBuffer(self.settings.replay_capacity, size, self.streams.replay, dtype=self._dtype)

    def _vector_step(self, stop: StopToken | None) -> None:
        """Act, step, store, learn, and report the episodes that ended; continues a step that was stopped."""
        if self._step_updates is None:
            by_steps = self.settings.policy_epsilon_schedule == "linear"
            now = self.epsilon
            actions = [self._action(lane, now if by_steps else lane.epsilon) for lane in self._lanes]
            self._ended = self._step_and_store(actions)
            self._replay_version = self.replay.version
            self._step_updates = 0
            if self.settings.target_moves == "before":
                self._move_target_if_due()
        if self._chose:
            return
        if self._learning_is_due():
            self._learn_for_lanes(stop)
        if self._chose:
            return
        if self.settings.target_moves == "after":
            self._move_target_if_due()
        self._step_updates = None
        ended = deque(lane for lane, has_ended in zip(self._lanes, self._ended, strict=True) if has_ended)
        while ended:
            lane = ended.popleft()
            self._count(lane)
            try:
                for network in self._networks():
                    self._require_finite("weights", network.parameters, self.episodes)
                self._start_episode(lane)
            except BaseException:  # which loses none of the others that have ended
                for other in ended:
                    self._count(other)
                raise
        self._reset_rows()
        self._observe()

    def _count(self, lane: Lane) -> None:
        """Counts the episode that has ended in a lane."""
        self._pending.append(_ended(lane, self._actor(lane)))
        self._episodes += 1

    def _observe(self) -> None:
        """Takes what the next actions are chosen by into the statistics, as Stable-Baselines3's VecNormalize does.

        An episode's last observation is not among it, the first one of the next is.
        """
        if self.settings.normalize_observations:
            assert self.network.normalizer is not None
            if seen := [lane.observation for lane in self._lanes if not lane.waits]:
                self.network.normalizer.update(np.array(seen))

    def _learning_is_due(self) -> bool:
        settings = self.settings
        n = self._vector_steps()
        return n * settings.num_envs >= settings.warm_up and n % settings.train_every == 0

    def _learn_for_lanes(self, stop: StopToken | None) -> None:
        """The updates of a phase, less those that were done before a stop; each lane is charged with an equal part."""
        assert self._step_updates is not None
        n = self.settings.phase_updates
        while self._step_updates < n and not self._chose:
            i = self._step_updates // -(-n // len(self._lanes))
            _check(stop)
            if len(self.replay) == 0:  # emptied after a stop
                return
            self._lanes[i].loss_sum += self.learn()
            self._lanes[i].n_losses += 1
            self._step_updates += 1

    def _start_episode(self, lane: Lane) -> None:
        if isinstance(self.environment, PythonEnvironment):
            with self._whole_after_errors():
                lane.reset(self.streams.env, self.epsilon)
        else:
            lane.reset(self.streams.env, self.epsilon)
        self._require_finite("observation", lane.observation, self.episodes + 1)

    def _reset_rows(self) -> None:
        """Begins the episodes of the rows that `_start_episode` has marked, all at once."""
        marked = np.array([lane.seed is not None for lane in self._lanes])
        if self._rows is None or not marked.any():
            return
        with self._whole_after_errors():
            observations, waiting = self._rows.reset(marked, np.array([lane.seed or 0.0 for lane in self._lanes]))
        for i in np.flatnonzero(marked):
            lane = self._lanes[i]
            lane.seed, lane.waits = None, bool(waiting[i])
            if not lane.waits:
                lane.observation = observations[i].copy()
                self._require_finite("observation", lane.observation, self.episodes + 1)

    def _require_finite_reward(self, reward: float, episode: int) -> None:
        with np.errstate(over="ignore"):  # beyond float32 it is infinite, as in the native memory
            self._require_finite("reward", self.replay.dtype.type(reward), episode)

    def _linked(self) -> bool:
        """Whether each lane's preceding transition is as many rows ago as have been stored since.

        It is not if the memory was changed in between.
        """
        return self.replay.version == self._replay_version

    def _step_and_store(self, actions: list[int]) -> list[bool]:
        """A transition of each lane into the memory; whether it ended the episode."""
        linked = self._linked()
        if self._rows is not None:
            return self._step_rows(self._rows, actions, linked)
        if not isinstance(self.environment, PythonEnvironment):
            return [
                self._store(lane, lane.observation, action, lane.step(action, self.streams.env), linked)
                for lane, action in zip(self._lanes, actions, strict=True)
            ]
        observations = [lane.observation for lane in self._lanes]
        with self._whole_after_errors():  # all of them before anything is stored
            steps = [lane.step(a, self.streams.env) for lane, a in zip(self._lanes, actions, strict=True)]
        return [self._store(*row, linked) for row in zip(self._lanes, observations, actions, steps, strict=True)]

    def _step_rows(self, rows: VectorPlay, actions: list[int], linked: bool) -> list[bool]:
        """As `_step_and_store`, of a vector environment; no transition of a row whose episode the step has begun."""
        ended = []
        with self._whole_after_errors():
            observations, rewards, terminated, truncated = rows.step(np.array(actions, np.int64))
        for i, (lane, action) in enumerate(zip(self._lanes, actions, strict=True)):
            before, lane.observation = lane.observation, observations[i].copy()
            if lane.waits:
                self._require_finite("observation", lane.observation, self.episodes + 1)
                lane.waits = False
                lane.acted.clear()  # its action was none
                self._steps += 1
                ended.append(False)
            else:
                step = lane.count(float(rewards[i]), bool(terminated[i]), bool(truncated[i]), rows.limit)
                ended.append(self._store(lane, before, action, step, linked))
        return ended

    @contextlib.contextmanager
    def _whole_after_errors(self) -> Iterator[None]:
        """A block that calls environments in Python, at whose errors all lanes begin new episodes."""
        try:
            yield
        except BaseException:
            self._begin_anew()
            self._in_step = False
            raise

    def _store(
        self, lane: Lane, observation: np.ndarray, action: int, step: tuple[float, bool, bool], linked: bool
    ) -> bool:
        """A transition into the memory; True if it ended the episode."""
        reward, terminated, truncated = step
        dtype = self.replay.dtype
        self._require_finite_reward(reward, self.episodes + 1)
        self._require_finite("observation", lane.observation, self.episodes + 1)
        self.replay.add(
            observation.astype(dtype),
            action,
            reward,
            lane.observation.astype(dtype),
            terminated,
            truncated,
            self._n_rows - lane.row if linked and lane.length > 1 else 0,
        )
        lane.row = self._n_rows
        self._n_rows += 1
        self._steps += 1
        return terminated or truncated

    def _action(self, lane: Lane, epsilon: float) -> int:
        """Of a step that is learned from: uniformly random in the first ones, then epsilon-greedy."""
        policy = self.streams.policy
        if self.steps < self.settings.random_steps or policy.random() < epsilon:
            return self._random_action(policy)
        return self._greedy(self._acting(lane), lane.observation)

    def _acting(self, lane: Lane) -> QNetwork:
        """The network whose greedy action is taken."""
        return self.network if self._stand_in is None else self._stand_in

    def _actor(self, lane: Lane) -> int:
        """Which network of a population has acted in the lane's episode."""
        return 0

    def _networks(self) -> list[QNetwork]:
        """All that learn."""
        return [self.network]

    def _random_action(self, rng: np.random.Generator) -> int:
        n_actions = self.environment.n_actions
        return int(rng.integers(n_actions)) if n_actions > 1 else 0

    def _epsilon_greedy(self, observation: np.ndarray, epsilon: float, rng: np.random.Generator) -> int:
        """A random action with probability epsilon, else the greedy one; one uniform is always drawn."""
        return self._random_action(rng) if rng.random() < epsilon else self._greedy(self.network, observation)

    def _greedy(self, network: QNetwork, observation: np.ndarray) -> int:
        """argmax_a Q(s, a; w), the lowest index of equals."""
        return int(np.argmax(network.forward(observation[None].astype(network.dtype))[0]))

    def _require_finite(self, what: str, value: float | np.ndarray, episode: int) -> None:
        if not np.isfinite(value).all():
            raise self.settings.non_finite(what, episode, environment=self.environment.kernel.name)


def _check(stop: StopToken | None) -> None:
    if stop is not None and stop.reason:
        raise Stopped


def _ended(lane: Lane, actor: int) -> Ended:
    return lane.episode_return, lane.length, lane.mean_loss(), lane.epsilon, actor


def _actors(ended: Iterable[Ended]) -> np.ndarray:
    return np.array([episode[-1] for episode in ended], np.int64)


def _episodes(ended: list[Ended]) -> Episodes:
    returns, lengths, losses, epsilons, _ = zip(*ended, strict=True) if ended else ((),) * 5
    return Episodes(
        np.array(returns, np.float64),
        np.array(lengths, np.int64),
        np.array(losses, np.float64),
        np.array(epsilons, np.float64),
    )
