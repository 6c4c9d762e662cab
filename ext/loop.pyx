"""The compiled training loop with its memory: whole episodes without the GIL."""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t
from numpy.random cimport bitgen_t
from nasdqn_fast._core.environment cimport EnvironmentCore
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport (
    NDQ_BAD_LOSS, NDQ_BAD_OBSERVATION, NDQ_BAD_REWARD, NDQ_BAD_WEIGHTS, NDQ_CHOSEN, NDQ_DONE, NDQ_FAILED_ENV,
    NDQ_STOPPED,
    ndq_episode, ndq_lane, ndq_loop, ndq_pad, ndq_population, ndq_run, ndq_status, ndq_stop_reason,
)
from nasdqn_fast._core.network cimport NetworkCore
from nasdqn_fast._core.optimizer cimport OptimizerCore
from nasdqn_fast._core.population cimport PopulationCore
from nasdqn_fast._core.python_lanes cimport PythonLanes
from nasdqn_fast._core.stop_token cimport StopToken

from nasdqn_fast._core.block import aligned_zeros
from nasdqn_fast.errors import Stopped, step_failed
from nasdqn_fast.types import Episodes
from nasdqn_fast.validation import first_non_finite

# The C structs of loop.h, field for field.
LANE = np.dtype(
    [("reward_sum", "f8"), ("loss_sum", "f8"), ("epsilon", "f8"), ("length", "i8"), ("n_losses", "i8")]
)
EPISODE = np.dtype(
    [("reward_sum", "f8"), ("mean_loss", "f8"), ("epsilon", "f8"), ("length", "i8"), ("actor", "i8")]
)
assert LANE.itemsize == sizeof(ndq_lane) and EPISODE.itemsize == sizeof(ndq_episode)

_NOT_FINITE = {
    NDQ_BAD_OBSERVATION: "observation", NDQ_BAD_REWARD: "reward", NDQ_BAD_LOSS: "loss", NDQ_BAD_WEIGHTS: "weights",
}


cdef bitgen_t *_bitgen(generator) except NULL:
    return <bitgen_t *>PyCapsule_GetPointer(generator.bit_generator.capsule, "BitGenerator")


cdef class LoopCore(Exclusive):
    """Lanes in lockstep, and the network and streams they are played with.

    Args:
        environment: an EnvironmentCore, or PythonLanes, as many as there are lanes.
        settings: an `AgentSettings`, or anything with its attributes.
        env_rng, policy_rng: Generators.
        population: a PopulationCore to train; None to play without learning.
        last_episode: no other starts after so many have ended; 0 is endless.

    Attributes:
        actors: int64 (n,), of the episodes that `run` returned last: the network of the population that chose most of
            the episode's actions.
    """

    cdef ndq_loop loop
    cdef readonly object environment
    cdef NetworkCore network
    cdef NetworkCore stand_in
    cdef PopulationCore population
    cdef ndq_population nobody  # learns where there is no population
    cdef readonly object settings
    cdef readonly object actors
    cdef readonly object lanes
    cdef readonly object states
    cdef readonly object observations
    cdef object _memory
    cdef object _ended
    cdef object _flags
    cdef list _locks
    cdef object _unreported
    cdef bint holds_parts
    cdef bint holds_stand_in
    cdef readonly bint whole
    cdef int locked

    def __cinit__(
        self, environment not None, settings, env_rng, policy_rng, PopulationCore population=None,
        last_episode=0,
    ):
        cdef int64_t n = settings.num_envs
        self.what = "agent"
        self.environment, self.settings, self.population = environment, settings, population
        generators = [env_rng, policy_rng] + ([] if population is None else [population.replay.rng])
        locks = {id(g.bit_generator): g.bit_generator.lock for g in generators}
        self._locks = [lock for _, lock in sorted(locks.items())]
        if isinstance(environment, PythonLanes):
            self.loop.env = (<PythonLanes>environment).env
        else:
            self.loop.env = (<EnvironmentCore?>environment).env
        self.loop.env_rng, self.loop.policy_rng = _bitgen(env_rng), _bitgen(policy_rng)
        self.loop.population = &self.nobody
        if population is not None:
            population.make_room(n)
            self.loop.population = &population.population
        self.loop.random_steps = settings.random_steps
        self.loop.warm_up, self.loop.train_every = settings.warm_up, settings.train_every
        self.loop.phase_updates = settings.phase_updates
        self.loop.target_every = settings.target_every if settings.target_unit == "steps" else 0
        self.loop.moves_after, self.loop.counts_from_0 = settings.target_moves == "after", settings.first_step == 0
        self.loop.epsilon_start, self.loop.epsilon_end = settings.policy_epsilon_start, settings.policy_epsilon_end
        self.loop.epsilon_decay = settings.policy_epsilon_decay
        if settings.policy_epsilon_schedule == "linear":
            self.loop.epsilon_steps = settings.exploration_steps
        self.loop.last_step = settings.steps or 0
        self.loop.n_lanes = n
        self.loop.last_episode, self.loop.step_updates = last_episode, -1
        self.loop.replay_version = -1
        self._unreported = np.zeros(0, EPISODE)
        self.actors = np.zeros(0, np.int64)
        self.whole = True
        self._allocate(n)

    def _allocate(self, n):
        """Everything the loop writes to, sized once."""
        env = self.loop.env
        self.lanes = np.zeros(n, LANE)
        self._ended = np.zeros(n, EPISODE)
        self._flags = np.zeros(n, np.int32)
        # One number more than needed keeps the address of an empty array valid.
        self.states = np.zeros((n, max(env.state_size, 1)))
        self.observations = np.zeros((n, env.observation_size), np.float32)
        self._memory = {
            "next_obs": np.zeros((n, env.observation_size), np.float32),
            "q": aligned_zeros(n * env.n_actions + ndq_pad(env.n_actions)),
            "actions": np.zeros(n, np.int64),
            "rewards": np.zeros(n),
            "uniforms": np.zeros(max(env.reset_uniforms, env.step_uniforms, 1)),
            "begins": np.zeros(n, np.int32),
            "seeds": np.zeros(n),
            "rows": np.zeros(n, np.int64),
        }
        self.loop.lanes = <ndq_lane *><size_t>self.lanes.ctypes.data
        self.loop.ended = <ndq_episode *><size_t>self._ended.ctypes.data
        self.loop.states = <double *><size_t>self.states.ctypes.data
        self.loop.obs = <float *><size_t>self.observations.ctypes.data
        self.loop.next_obs = <float *><size_t>self._memory["next_obs"].ctypes.data
        self.loop.q = <float *><size_t>self._memory["q"].ctypes.data
        self.loop.actions = <int64_t *><size_t>self._memory["actions"].ctypes.data
        self.loop.rewards = <double *><size_t>self._memory["rewards"].ctypes.data
        self.loop.flags = <int32_t *><size_t>self._flags.ctypes.data
        self.loop.uniforms = <double *><size_t>self._memory["uniforms"].ctypes.data
        self.loop.begins = <int32_t *><size_t>self._memory["begins"].ctypes.data
        self.loop.seeds = <double *><size_t>self._memory["seeds"].ctypes.data
        self.loop.rows = <int64_t *><size_t>self._memory["rows"].ctypes.data

    def use(
        self, NetworkCore network not None, NetworkCore target=None, OptimizerCore optimizer=None, int64_t member=0,
        NetworkCore stand_in=None,
    ):
        """Plays with `network` from now on; a population trains it with `target` and `optimizer` as its `member`-th.

        A `stand_in`, which nobody else uses, acts in the place of the first.
        """
        cdef NetworkCore acting = network if stand_in is None else stand_in
        self.require_idle()
        if (self.population is None) != (target is None) or (target is None) != (optimizer is None):
            raise ValueError("a loop that learns wants a population, target and optimizer; one that plays none of them")
        expected = self.loop.env.observation_size, self.loop.env.n_actions
        for one in (network, acting):
            if (one.block.sizes[0], one.block.sizes[-1]) != expected:
                raise ValueError(f"network must map {expected[0]} numbers to {expected[1]}; got sizes {one.block.sizes}")
        if self.population is not None and self.settings.normalize_observations and network.normalizer_core is None:
            raise ValueError("a loop that normalizes observations wants a network with a normalizer")
        if self.population is not None:
            self.population.use(member, network, target, optimizer)
        if member == 0:
            self.network, self.stand_in = network, stand_in
            self.loop.net, self.loop.params = &acting.net, acting.block.data
        self.loop.normalizes = self.population is not None and self.settings.normalize_observations

    @property
    def counters(self):
        """Environment steps, updates, ended episodes."""
        return self.loop.steps, 0 if self.population is None else self.population.updates, self.loop.episodes

    @property
    def unreported(self):
        """Episodes that have ended and that `run` has not returned yet."""
        return len(self._unreported) + self.loop.n_ended

    def run(self, n, StopToken stop=None):
        """Plays until n episodes have ended: `Episodes`, those kept from an earlier call first.

        They are fewer after the last step, and where the population has chosen a target, which it then says.

        Raises:
            Stopped: the token was set; what has ended is kept for the next call.
        """
        cdef int64_t kept, wanted, n_out = 0
        cdef ndq_status status = NDQ_DONE
        cdef ndq_episode *out_
        self.require_idle()
        kept = len(self._unreported)
        wanted = max(n - kept, 0)
        out = np.zeros(kept + wanted, EPISODE)
        out[:kept] = self._unreported
        out_ = <ndq_episode *><size_t>out.ctypes.data + kept
        if wanted:
            self._acquire()
            try:
                self.loop.stop = NULL if stop is None else stop.flag
                with nogil:
                    status = ndq_run(&self.loop, wanted, out_, &n_out)
                # At once, and by no Python code that Ctrl-C could interrupt: what did end is not lost.
                self._unreported = out[:kept + n_out]
                # An environment in Python has raised before anything else of the step was done, or when all was.
                self.whole = status <= NDQ_CHOSEN or (
                    status == NDQ_FAILED_ENV and isinstance(self.environment, PythonLanes)
                )
            finally:
                self._release()
        if status > NDQ_CHOSEN:
            self._fail(status)
        returned = self._unreported[:n]
        actors, episodes = returned["actor"].copy(), _episodes(returned)
        # Also if it was set with the last episode, and as late as can be: a signal's handler in Python may raise as soon as
        # this returns, and what is returned would be lost.
        if stop is not None and ndq_stop_reason(stop.flag):
            raise Stopped
        self.actors, self._unreported = actors, self._unreported[n:]
        return episodes

    def get_state(self):
        """Lanes, counters and unreported episodes: plain values and arrays."""
        self.require_idle()
        ended = np.concatenate([self._unreported, self._ended[:self.loop.n_ended]])
        steps, updates, episodes = self.counters
        return {
            "started": bool(self.loop.started),
            "steps": steps, "updates": updates, "episodes": episodes,
            # Whether the newest rows of the memory are those of the lanes' last step, which their next one will follow.
            "continues": (
                self.population is not None and self.loop.replay_version == self.population.replay.replay.version
            ),
            "states": self.states.copy(), "observations": self.observations.copy(),
            "step_updates": self.loop.step_updates, "lane_flags": self._flags * (self.loop.step_updates >= 0),
            **{f"lane_{name}": self.lanes[name].copy() for name in LANE.names},
            **{f"ended_{name}": ended[name].copy() for name in EPISODE.names},
            **self._state_of_environments(),
        }

    def set_state(self, state):
        """Restores a state returned by `get_state`.

        Its arrays and numbers are checked by `check_loop_state` of the engine; here only what C would index with.
        """
        cdef int64_t step_updates = state.get("step_updates", -1)
        self.require_idle()
        if step_updates < -1:
            raise ValueError(f"step_updates must be >= -1; got {step_updates}")
        started = state["started"]
        if isinstance(self.environment, PythonLanes) and not self.environment.play.in_progress:
            # An episode in Python cannot be continued from arrays: it begins again.
            self.environment.play.set_state(state["environments"])
            started = False
        self.loop.started = started
        self.loop.step_updates = step_updates if self.loop.started else -1
        self.loop.steps, self.loop.episodes = state["steps"], state["episodes"]
        if self.population is not None:
            self.population.set_counters(state["updates"], state["steps"])
            self.loop.replay_version = self.population.replay.replay.version if state.get("continues", False) else -1
        self.states[...], self.observations[...] = state["states"], state["observations"]
        self._flags[...] = state.get("lane_flags", 0)
        self._memory["begins"][...] = 0
        # All lanes have stored a transition in their last step.
        self._memory["rows"][...] = np.arange(self.loop.n_lanes)
        self.loop.n_rows = self.loop.n_lanes
        for name in LANE.names:
            self.lanes[name] = state[f"lane_{name}"]
        self.loop.n_ended = 0
        self._unreported = np.zeros(len(state["ended_length"]), EPISODE)
        for name in EPISODE.names:
            self._unreported[name] = state.get(f"ended_{name}", 0)  # earlier versions saved no actor

    def _state_of_environments(self):
        if isinstance(self.environment, PythonLanes):
            return {"environments": self.environment.play.get_state()}
        return {}

    cdef int _acquire(self) except -1:
        """Takes everything the loop touches for this thread; generators' locks in a fixed order.

        Compiled from end to end: Python code in its course could be interrupted by Ctrl-C halfway.
        """
        self.enter()
        try:
            if self.network is None:
                raise RuntimeError("the loop has no network; call use() first")
            if self.population is None:
                self.network.enter()
            else:
                self.population.acquire()
            self.holds_parts = True
            if self.stand_in is not None:
                self.stand_in.enter()
                self.holds_stand_in = True
            while self.locked < len(self._locks):
                self._locks[self.locked].acquire()
                self.locked += 1
        except BaseException:
            self._release()
            raise
        return 0

    cdef int _release(self) except -1:
        while self.locked > 0:
            self.locked -= 1
            self._locks[self.locked].release()
        if self.holds_stand_in:
            self.stand_in.leave()
        self.holds_stand_in = False
        if self.holds_parts:
            if self.population is None:
                self.network.leave()
            else:
                self.population.release()
        self.holds_parts = False
        self.leave()
        return 0

    def _fail(self, ndq_status status):
        """Raises what a status stands for."""
        episode = self.loop.failed_episode
        if status == NDQ_FAILED_ENV and isinstance(self.environment, PythonLanes):
            raise (<PythonLanes>self.environment).take_error()
        if status == NDQ_FAILED_ENV:
            raise step_failed(self.environment.environment.kernel.name, f"in episode {episode}")
        weights = {}
        if status == NDQ_BAD_LOSS:
            weights = self.population.failed_weights()
        name = self.environment.environment.kernel.name
        raise self.settings.non_finite(_NOT_FINITE[status], episode, first_non_finite(weights), name)


def _episodes(ended):
    return Episodes(*(ended[name].copy() for name in ("reward_sum", "length", "mean_loss", "epsilon")))
