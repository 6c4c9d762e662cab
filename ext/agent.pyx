"""The compiled training loop with its memory: whole episodes without the GIL."""

import threading

import numpy as np

from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t
from numpy.random cimport bitgen_t
from nasdqn_fast._core.block cimport ParameterBlock
from nasdqn_fast._core.environment cimport EnvironmentCore
from nasdqn_fast._core.ndq cimport (
    NDQ_BAD_LOSS, NDQ_BAD_OBSERVATION, NDQ_BAD_REWARD, NDQ_BAD_WEIGHTS, NDQ_DONE, NDQ_FAILED_ENV, NDQ_PAD, NDQ_PANEL,
    NDQ_STOPPED, ndq_episode, ndq_lane, ndq_loop, ndq_pad, ndq_replay_holds, ndq_row_stride, ndq_run, ndq_status, ndq_update,
)
from nasdqn_fast._core.network cimport NetworkCore
from nasdqn_fast._core.optimizer cimport OptimizerCore
from nasdqn_fast._core.replay cimport ReplayCore

from nasdqn_fast import interrupts
from nasdqn_fast._core.block import aligned_zeros
from nasdqn_fast.engine.loop_state import check_loop_state
from nasdqn_fast.errors import StepError
from nasdqn_fast.types import Episodes

# The C structs of loop.h, field for field.
LANE = np.dtype(
    [("reward_sum", "f8"), ("loss_sum", "f8"), ("epsilon", "f8"), ("length", "i8"), ("n_losses", "i8")]
)
EPISODE = np.dtype([("reward_sum", "f8"), ("mean_loss", "f8"), ("epsilon", "f8"), ("length", "i8")])
assert LANE.itemsize == sizeof(ndq_lane) and EPISODE.itemsize == sizeof(ndq_episode)

_NOT_FINITE = {
    NDQ_BAD_OBSERVATION: "observation", NDQ_BAD_REWARD: "reward", NDQ_BAD_LOSS: "loss", NDQ_BAD_WEIGHTS: "weights",
}


cdef int _check_signals(void *context) noexcept nogil:
    """Runs pending signal handlers; the exception of one, as of Ctrl-C, is kept in the loop that is passed."""
    with gil:
        try:
            PyErr_CheckSignals()
            if (<LoopCore>context).replay is not None:  # what a run holds back: where it learns, it can be saved
                interrupts.check()
        except BaseException as error:
            (<LoopCore>context).interrupt = error
            return 1
    return 0


cdef int _never(void *context) noexcept nogil:
    return 0


cdef bitgen_t *_bitgen(generator) except NULL:
    return <bitgen_t *>PyCapsule_GetPointer(generator.bit_generator.capsule, "BitGenerator")


cdef class LoopCore:
    """Lanes in lockstep, and the network, memory and streams they learn with.

    Args:
        environment: an EnvironmentCore.
        settings: an `AgentSettings`.
        network: a NetworkCore, in use and changed.
        target: one of the same shape, whose parameters only are used; None to play without learning.
        optimizer: an OptimizerCore, or None.
        replay: a ReplayCore, or None.
        env_rng, policy_rng: Generators.
        knows_targets: keep the target's values of stored transitions until the next copy; the same bits, sooner.
        last_episode: no other starts after so many have ended; 0 is endless.
    """

    cdef ndq_loop loop
    cdef EnvironmentCore environment
    cdef NetworkCore network
    cdef NetworkCore target
    cdef OptimizerCore optimizer
    cdef ReplayCore replay
    cdef ParameterBlock gradient
    cdef readonly object settings
    cdef readonly object lanes
    cdef readonly object states
    cdef readonly object observations
    cdef ParameterBlock _known_target
    cdef object _memory
    cdef object _ended
    cdef list _locks
    cdef object _unreported
    cdef object interrupt
    cdef bint busy
    cdef int held
    cdef int locked

    def __cinit__(
        self, EnvironmentCore environment not None, settings, env_rng, policy_rng, ReplayCore replay=None,
        last_episode=0, knows_targets=True,
    ):
        cdef int64_t n = settings.num_envs
        self.environment, self.settings, self.replay = environment, settings, replay
        generators = [env_rng, policy_rng] + ([] if replay is None else [replay.rng])
        locks = {id(g.bit_generator): g.bit_generator.lock for g in generators}
        self._locks = [lock for _, lock in sorted(locks.items())]
        self.loop.env = environment.env
        self.loop.env_rng, self.loop.policy_rng = _bitgen(env_rng), _bitgen(policy_rng)
        if replay is not None:
            self.loop.replay = &replay.replay
            self.loop.replay_rng = _bitgen(replay.rng)
        self.loop.gamma, self.loop.huber_delta = settings.gamma, settings.huber_delta
        self.loop.batch_size, self.loop.updates_per_step = settings.batch_size, settings.updates_per_step
        self.loop.warm_up, self.loop.target_every = settings.warm_up, settings.target_every
        self.loop.horizon_is_terminal = settings.horizon_is == "terminal"
        self.loop.epsilon_start, self.loop.epsilon_end = settings.policy_epsilon_start, settings.policy_epsilon_end
        self.loop.epsilon_decay = settings.policy_epsilon_decay
        self.loop.n_lanes = n
        self.loop.last_episode = last_episode
        self._unreported = np.zeros(0, EPISODE)
        self._allocate(n)
        if replay is not None and knows_targets:
            stride = ndq_row_stride(1 + environment.env.n_actions)
            self._memory["known"] = aligned_zeros((replay.capacity, stride))  # of epoch 0, which is none
            self.loop.known = <float *><size_t>self._memory["known"].ctypes.data
            self.loop.known_stride = stride

    def _allocate(self, n):
        """Everything the loop writes to, sized once."""
        env = self.environment.env
        self.lanes = np.zeros(n, LANE)
        self._ended = np.zeros(n, EPISODE)
        # One number more than needed keeps the address of an empty array valid.
        self.states = np.zeros((n, max(env.state_size, 1)))
        self.observations = np.zeros((n, env.observation_size), np.float32)
        self._memory = {
            "next_obs": np.zeros((n, env.observation_size), np.float32),
            "q": aligned_zeros(n * env.n_actions + ndq_pad(env.n_actions)),
            "actions": np.zeros(n, np.int64),
            "flags": np.zeros(n, np.int32),
            "uniforms": np.zeros(max(env.reset_uniforms, env.step_uniforms, 1)),
            "slots": np.zeros(self.settings.batch_size, np.int64),
            "batch": aligned_zeros((0 if self.replay is None else self.replay.replay.stride, NDQ_PANEL)),
            "batch_actions": np.zeros(NDQ_PANEL, np.int64),
            "batch_targets": np.zeros(NDQ_PANEL, np.float32),
        }
        self.loop.lanes = <ndq_lane *><size_t>self.lanes.ctypes.data
        self.loop.ended = <ndq_episode *><size_t>self._ended.ctypes.data
        self.loop.states = <double *><size_t>self.states.ctypes.data
        self.loop.obs = <float *><size_t>self.observations.ctypes.data
        self.loop.next_obs = <float *><size_t>self._memory["next_obs"].ctypes.data
        self.loop.q = <float *><size_t>self._memory["q"].ctypes.data
        self.loop.actions = <int64_t *><size_t>self._memory["actions"].ctypes.data
        self.loop.flags = <int32_t *><size_t>self._memory["flags"].ctypes.data
        self.loop.uniforms = <double *><size_t>self._memory["uniforms"].ctypes.data
        self.loop.slots = <int64_t *><size_t>self._memory["slots"].ctypes.data
        self.loop.batch = <float *><size_t>self._memory["batch"].ctypes.data
        self.loop.batch_actions = <int64_t *><size_t>self._memory["batch_actions"].ctypes.data
        self.loop.batch_targets = <float *><size_t>self._memory["batch_targets"].ctypes.data

    def use(self, NetworkCore network not None, NetworkCore target=None, OptimizerCore optimizer=None):
        """Plays with `network` from now on, and learns with `target` and `optimizer`."""
        self._require_idle()
        if (self.replay is None) != (target is None) or (target is None) != (optimizer is None):
            raise ValueError("a loop that learns wants replay, target and optimizer; one that plays wants none of them")
        # What may fail comes first, so that a refusal changes nothing.
        gradient = None if target is None else ParameterBlock(network.block.sizes)
        known_target = None if target is None else ParameterBlock(network.block.sizes)
        self.network, self.target, self.optimizer = network, target, optimizer
        self.gradient, self._known_target = gradient, known_target
        self.loop.net, self.loop.params = &network.net, network.block.data
        if target is not None:
            self.loop.target, self.loop.gradient = target.block.data, self.gradient.data
            self.loop.optimizer = &optimizer.optimizer
            self.loop.known_target, self.loop.known_version = self._known_target.data, -1

    @property
    def counters(self):
        """Environment steps, updates, ended episodes."""
        return self.loop.steps, self.loop.updates, self.loop.episodes

    @property
    def unreported(self):
        """Episodes that have ended and that `run` has not returned yet."""
        return len(self._unreported) + self.loop.n_ended

    def run(self, n):
        """Plays until n episodes have ended: `Episodes`, those kept from an earlier call first."""
        cdef int64_t kept, wanted, n_out = 0
        cdef ndq_status status = NDQ_DONE
        cdef ndq_episode *out_
        self._require_idle()
        kept = len(self._unreported)
        wanted = max(n - kept, 0)
        out = np.zeros(kept + wanted, EPISODE)
        out[:kept] = self._unreported
        out_ = <ndq_episode *><size_t>out.ctypes.data + kept
        if wanted:
            # Python runs signal handlers in the main thread only.
            in_main_thread = threading.current_thread() is threading.main_thread()
            self._acquire()
            try:
                self.loop.poll = _check_signals if in_main_thread else _never
                self.loop.context = <void *>self
                with nogil:
                    status = ndq_run(&self.loop, wanted, out_, &n_out)
                # At once, and by no Python code that Ctrl-C could interrupt: what did end is not lost.
                self._unreported = out[:kept + n_out]
            finally:
                self._release()
        if status != NDQ_DONE:
            self._fail(status)
        episodes, rest = _episodes(self._unreported[:n]), self._unreported[n:]
        PyErr_CheckSignals()  # here, where the next call can still report these episodes
        self._unreported = rest
        return episodes

    def update(self):
        """One update from the replay: mean Huber loss."""
        cdef double loss
        self._acquire()
        try:
            with nogil:
                loss = ndq_update(&self.loop)
        finally:
            self._release()
        if not np.isfinite(loss):
            self.loop.failed_episode = self.loop.episodes + 1
            self._fail(NDQ_BAD_LOSS)
        return loss

    def get_state(self):
        """Lanes, counters and unreported episodes: plain values and arrays."""
        self._require_idle()
        ended = np.concatenate([self._unreported, self._ended[:self.loop.n_ended]])
        return {
            "started": bool(self.loop.started),
            "steps": self.loop.steps, "updates": self.loop.updates, "episodes": self.loop.episodes,
            "states": self.states.copy(), "observations": self.observations.copy(),
            **{f"lane_{name}": self.lanes[name].copy() for name in LANE.names},
            **{f"ended_{name}": ended[name].copy() for name in EPISODE.names},
        }

    def set_state(self, state):
        """Takes back what `get_state` gave.

        Raises:
            KeyError, TypeError, ValueError: the state is none, or has other lanes than this loop; nothing was changed.
        """
        self._require_idle()
        check_loop_state(state, self.states.shape, self.observations.shape, self.loop.env.max_episode_steps)
        self.loop.started = state["started"]
        self.loop.steps, self.loop.updates, self.loop.episodes = state["steps"], state["updates"], state["episodes"]
        self.states[...], self.observations[...] = state["states"], state["observations"]
        for name in LANE.names:
            self.lanes[name] = state[f"lane_{name}"]
        self.loop.n_ended = 0
        self._unreported = np.zeros(len(state["ended_length"]), EPISODE)
        for name in EPISODE.names:
            self._unreported[name] = state[f"ended_{name}"]

    cdef int _acquire(self) except -1:
        """Takes everything the loop touches for this thread; generators' locks in a fixed order.

        Compiled from end to end: Python code in its course could be interrupted by Ctrl-C halfway.
        """
        self._require_idle()
        if self.network is None:
            raise RuntimeError("the loop has no network; call use() first")
        self.busy = True
        try:
            self.network.enter()
            self.held = 1
            if self.target is not None:
                self.target.enter()
                self.held = 2
                self.optimizer.enter()
                self.held = 3
                self.optimizer.follow(self.network.block)
                self.replay.enter()
                self.held = 4
                self._require_known_actions()
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
        if self.held >= 4:
            self.replay.leave()
        if self.held >= 3:
            self.optimizer.leave()
        if self.held >= 2:
            self.target.leave()
        if self.held >= 1:
            self.network.leave()
        self.held = 0
        self.busy = False
        return 0

    def _require_idle(self):
        if self.busy:
            raise RuntimeError("the agent is in use by another thread; give each thread an agent of its own")

    def _require_known_actions(self):
        """The loop indexes Q-values with stored actions, and a memory may come from anywhere."""
        if ndq_replay_holds(&self.replay.replay, self.environment.env.n_actions):
            raise ValueError(
                f"the replay buffer holds action {self.replay.replay.largest_action}; the environment's are 0 to "
                f"{self.environment.env.n_actions - 1}; give the agent a buffer of its own environment"
            )

    def _fail(self, ndq_status status):
        """Raises what a status stands for."""
        episode = self.loop.failed_episode
        if status == NDQ_STOPPED:
            interrupt, self.interrupt = self.interrupt, None
            raise interrupt
        if status == NDQ_FAILED_ENV:
            name = self.environment.environment.kernel.name
            raise StepError(
                f"environment {name} reported an error in step, in episode {episode}: it raised an exception, or "
                "returned neither 0 nor TERMINATED"
            )
        raise self.settings.non_finite(_NOT_FINITE[status], episode)


def _episodes(ended):
    return Episodes(*(ended[name].copy() for name in ("reward_sum", "length", "mean_loss", "epsilon")))
