"""Learners over one memory, with one target or with their own: one update of all a call, without the GIL."""

import numpy as np

from libc.stdint cimport int64_t, uint8_t
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.learner cimport LearnerCore
from nasdqn_fast._core.ndq cimport ndq_learner, ndq_learner_begin, ndq_population, ndq_population_update
from nasdqn_fast._core.network cimport NetworkCore
from nasdqn_fast._core.optimizer cimport OptimizerCore
from nasdqn_fast._core.replay cimport ReplayCore


cdef class PopulationCore(Exclusive):
    """One learner, or several that share minibatches and, unless each has its own, a target.

    Args:
        learners: LearnerCores over one memory, at least one.
        own_targets: each learns towards its own target.
    """

    def __cinit__(self, learners, own_targets=False):
        cdef LearnerCore learner
        cdef int64_t k, n = len(learners)
        self.what = "agent"
        self.learners = tuple(learners)
        self._memory = {
            "learners": np.zeros(n, np.uintp),
            "losses": np.zeros(n),
            "last_losses": np.zeros(n),
            "retired": np.zeros(n, np.uint8),
        }
        self.population.learners = <ndq_learner **><size_t>self._memory["learners"].ctypes.data
        self.population.losses = <double *><size_t>self._memory["losses"].ctypes.data
        self.population.last_losses = <double *><size_t>self._memory["last_losses"].ctypes.data
        self.population.retired = <uint8_t *><size_t>self._memory["retired"].ctypes.data
        self.population.own_targets = bool(own_targets)
        self.population.n = n
        for k in range(n):
            learner = self.learners[k]
            self.population.learners[k] = &learner.learner
            if k == 0:
                self.replay = learner.replay
            elif learner.replay is not self.replay:
                raise ValueError("the learners of a population must have one memory")
            else:
                learner.share_minibatch(self.learners[0])
        self._choose(0)
        self.make_room(1)

    def make_room(self, lanes):
        """Counts the actions of so many lanes, from zero."""
        self._memory["acted"] = np.zeros((lanes, self.population.n), np.int64)
        self.population.acted = <int64_t *><size_t>self._memory["acted"].ctypes.data

    def use(self, int64_t member, NetworkCore network not None, NetworkCore target not None,
            OptimizerCore optimizer not None):
        """Trains `network` from now on as its `member`-th, with `target`, of the same shape, and `optimizer`."""
        self.require_idle()
        self.learners[member].use(network, target, optimizer)

    def forget(self, int64_t member):
        """Begins a member's loss, and the counts of its actions, at zero: it has another network."""
        self.require_idle()
        self._memory["losses"][member] = 0.0
        self._memory["acted"][:, member] = 0

    def act_by(self, int64_t member):
        """Makes a member act from now on; for members with targets of their own."""
        self.require_idle()
        self._choose(member)

    def retire(self, int64_t member):
        """Ends a member's learning; for members with targets of their own."""
        self.require_idle()
        self._memory["retired"][member] = True

    @property
    def updates(self):
        """Updates of each network."""
        cdef LearnerCore first = self.learners[0]
        return first.learner.updates

    def set_counters(self, int64_t updates, int64_t steps):
        """Updates, and environment steps, so far."""
        cdef LearnerCore learner
        for learner in self.learners:
            learner.learner.updates, learner.learner.steps = updates, steps

    @property
    def chosen(self):
        """The learner whose target is that of all."""
        return self.population.chosen

    @property
    def retired(self):
        """Whether each member's learning has ended, bool (n,)."""
        return self._memory["retired"].astype(bool)

    @property
    def has_chosen(self):
        """Whether a target was chosen since `take_notice`."""
        return bool(self.population.has_chosen)

    @property
    def losses(self):
        """Sums of losses since the last choice, (n,)."""
        return self._memory["losses"].copy()

    @property
    def last_losses(self):
        """Mean losses of an update, (n,), by which the target was chosen."""
        return self._memory["last_losses"].copy()

    def take_notice(self):
        """Lets the loop continue after a choice."""
        self.require_idle()
        self.population.has_chosen = 0

    def update(self):
        """One update of each network from the memory, which must not be empty: mean of their losses."""
        cdef double loss
        cdef int64_t k
        if len(self.replay) == 0:
            raise ValueError("the replay buffer is empty; add transitions before learning")
        lock = self.replay.rng.bit_generator.lock
        self.acquire()
        try:
            lock.acquire()
            with nogil:
                for k in range(self.population.n):
                    ndq_learner_begin(self.population.learners[k])
                loss = ndq_population_update(&self.population)
            lock.release()
        finally:
            self.release()
        return loss

    def failed_weights(self):
        """Parameters of the network whose loss was not finite, and of the target."""
        cdef LearnerCore failed = self.learners[self.population.failed], valuer = self.learners[self.population.chosen]
        return {"network": failed.network.block.parameters, "target": valuer.target.block.parameters}

    def get_state(self):
        """All that `set_state` needs besides the learners: plain values and arrays."""
        return {
            "chosen": self.population.chosen,
            "has_chosen": bool(self.population.has_chosen),
            "n_losses": self.population.n_losses,
            **{name: self._memory[name].copy() for name in ("losses", "last_losses", "retired", "acted")},
        }

    def set_state(self, state):
        """Restores a state returned by `get_state`, which the caller has checked."""
        self.require_idle()
        self._choose(state["chosen"])
        self.population.has_chosen, self.population.n_losses = state["has_chosen"], state["n_losses"]
        for name in ("losses", "last_losses", "retired", "acted"):
            self._memory[name][...] = state[name]

    def _choose(self, int64_t chosen):
        cdef int64_t k
        if not 0 <= chosen < self.population.n:
            raise ValueError(f"chosen must be from 0 to {self.population.n - 1}; got {chosen}")
        self.population.chosen = chosen
        for k in range(self.population.n):
            self.population.learners[k].valuer = NULL if self.population.own_targets else self.population.learners[chosen]

    cdef int acquire(self) except -1:
        """Takes everything that an update touches, but the generator's lock, for this thread."""
        cdef LearnerCore learner
        self.enter()
        try:
            while self.held < self.population.n:
                learner = self.learners[self.held]
                learner.acquire()
                self.held += 1
        except BaseException:
            self.release()
            raise
        return 0

    cdef void release(self) noexcept:
        cdef LearnerCore learner
        while self.held > 0:
            self.held -= 1
            learner = self.learners[self.held]
            learner.release()
        self.leave()
