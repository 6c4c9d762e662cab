"""A learner with its memory, for a population to train."""

import numpy as np

from libc.stdint cimport int64_t
from nasdqn_fast._core.block cimport ParameterBlock
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport (
    NDQ_HUBER, NDQ_MSE, NDQ_PANEL, ndq_replay_holds, ndq_row_stride,
)
from nasdqn_fast._core.network cimport NetworkCore
from nasdqn_fast._core.optimizer cimport OptimizerCore
from nasdqn_fast._core.replay cimport ReplayCore
from nasdqn_fast._core.supernet cimport SupernetCore

from nasdqn_fast._core.block import aligned_zeros


cdef class LearnerCore(Exclusive):
    """A replay memory, and the networks and the optimizer that learn from it.

    Args:
        replay: a ReplayCore.
        settings: an `AgentSettings`, or anything with its attributes.
        n_actions: Q-values of the networks.
        caches_targets: keep the target's values of stored transitions until its next move; the same bits, sooner.
    """

    def __cinit__(self, ReplayCore replay not None, settings, int64_t n_actions, caches_targets=True):
        self.what, self.replay, self.n_actions = "agent", replay, n_actions
        self.learner.replay, self.learner.rng = &replay.replay, replay.bitgen
        self.learner.gamma, self.learner.n_step = settings.gamma, settings.n_step
        self.learner.huber_delta = settings.huber_delta
        if settings.learning_rate_schedule == "linear":
            self.learner.rate_steps = settings.steps
        self.learner.loss = NDQ_MSE if settings.loss == "mse" else NDQ_HUBER
        self.learner.batch_size, self.learner.target_tau = settings.batch_size, settings.target_tau
        self.learner.target_every = settings.target_every if settings.target_unit == "updates" else 0
        self.learner.horizon_is_terminal = settings.horizon_is == "terminal"
        self.learner.is_double = settings.double
        self.learner.is_prioritized = settings.replay_sampling == "prioritized"
        self.learner.priority_alpha, self.learner.priority_epsilon = settings.priority_alpha, settings.priority_epsilon
        self.learner.priority_beta, self.learner.beta_steps = settings.priority_beta_start, settings.steps or 0
        if self.learner.is_prioritized:
            replay.prioritize()
        self._memory = {
            "slots": np.zeros(settings.batch_size, np.int64),
            "batch": aligned_zeros((replay.replay.stride, NDQ_PANEL)),
            "actions": np.zeros(NDQ_PANEL, np.int64),
            "targets": np.zeros(NDQ_PANEL, np.float32),
            "weights": np.zeros(settings.batch_size, np.float32),
            "errors": np.zeros(settings.batch_size, np.float32),
            "last": np.zeros(NDQ_PANEL, np.int64),
            "discounts": np.full(NDQ_PANEL, settings.gamma, np.float32),  # written over if n_step > 1
        }
        if settings.n_step == 1:
            self._memory["after"] = self._memory["batch"]
        else:
            self._memory["after"] = aligned_zeros((replay.replay.stride, NDQ_PANEL))
        self.learner.slots = <int64_t *><size_t>self._memory["slots"].ctypes.data
        self.learner.batch = <float *><size_t>self._memory["batch"].ctypes.data
        self.learner.actions = <int64_t *><size_t>self._memory["actions"].ctypes.data
        self.learner.targets = <float *><size_t>self._memory["targets"].ctypes.data
        self.learner.weights = <float *><size_t>self._memory["weights"].ctypes.data
        self.learner.errors = <float *><size_t>self._memory["errors"].ctypes.data
        self.learner.last = <int64_t *><size_t>self._memory["last"].ctypes.data
        self.learner.after = <float *><size_t>self._memory["after"].ctypes.data
        self.learner.discounts = <float *><size_t>self._memory["discounts"].ctypes.data
        if caches_targets and not settings.normalize_observations:  # the values change with the statistics
            stride = ndq_row_stride(1 + n_actions)
            self._memory["cache"] = aligned_zeros((replay.capacity, stride))  # of epoch 0, which no update has
            self.learner.cache.rows = <float *><size_t>self._memory["cache"].ctypes.data
            self.learner.cache.stride = stride

    def use(self, NetworkCore network not None, NetworkCore target not None, OptimizerCore optimizer not None):
        """Trains `network` from now on, with `target`, of the same shape, and `optimizer`."""
        self.require_idle()
        expected = self.replay.observation_size, self.n_actions
        found = network.block.sizes[0], network.block.sizes[-1]
        if found != expected or not network.block.holds(target.block):
            raise ValueError(
                f"network and target must map the memory's {expected[0]} numbers to {expected[1]} Q-values, with the same "
                f"layers; got sizes {network.block.sizes} and {target.block.sizes}"
            )
        # What may fail comes first, so that a refusal changes nothing.
        gradient, cached_target = ParameterBlock(network.block.sizes), ParameterBlock(network.block.sizes)
        self.network, self.target, self.optimizer = network, target, optimizer
        self.gradient, self.cached_target = gradient, cached_target
        self.learner.net, self.learner.params = &network.net, network.block.data
        self.learner.target, self.learner.gradient = target.block.data, self.gradient.data
        self.learner.optimizer = &optimizer.optimizer
        self.learner.learning_rate = optimizer.settings.resolved_learning_rate
        self.learner.cache.target, self.learner.cache.replay_version = self.cached_target.data, -1
        self.supernet, self.learner.supernet = None, NULL

    def use_supernet(self, SupernetCore supernet not None):
        """Trains the shared layers from now on; the network in use must be the largest path's, until the next `use`."""
        self.require_idle()
        if self.network is not supernet.paths[supernet.supernet.largest]:
            raise ValueError("the learner's network must be that of the supernet's largest path")
        self.supernet, self.learner.supernet = supernet, &supernet.supernet

    cdef void share_minibatch(self, LearnerCore first):
        """Learns from the minibatches that another learner over the same memory draws."""
        self.learner.slots, self.learner.weights = first.learner.slots, first.learner.weights
        self.first = first

    cdef int acquire(self) except -1:
        """Takes everything that an update touches, but the generator's lock, for this thread.

        The memory is the first's to take, where several learn from it.
        """
        self.enter()
        try:
            if self.network is None:
                raise RuntimeError("the learner has no network; call use() first")
            self.network.enter()
            self.held = 1
            self.target.enter()
            self.held = 2
            self.optimizer.enter()
            self.held = 3
            if self.supernet is None:
                self.optimizer.follow(self.network.block)
            else:
                self.supernet.enter()
                self.holds_supernet = True
                self.optimizer.follow(self.supernet.shared.block)
            if self.first is None:
                self.replay.enter()
                self.held = 4
                self._require_known_actions()
        except BaseException:
            self.release()
            raise
        return 0

    cdef void release(self) noexcept:
        if self.held >= 4:
            self.replay.leave()
        if self.held >= 3:
            self.optimizer.leave()
        if self.held >= 2:
            self.target.leave()
        if self.held >= 1:
            self.network.leave()
        self.held = 0
        if self.holds_supernet:
            self.supernet.leave()
        self.holds_supernet = False
        self.leave()

    def _require_known_actions(self):
        """An update indexes Q-values with stored actions, and a memory may come from anywhere."""
        if ndq_replay_holds(&self.replay.replay, self.n_actions):
            raise ValueError(
                f"the replay buffer holds action {self.replay.replay.largest_action}; the environment's are 0 to "
                f"{self.n_actions - 1}; give the agent a buffer of its own environment"
            )
