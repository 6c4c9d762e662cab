"""Replay memory on a ring of rows: memory, checks, one C call a method."""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport isfinite
from libc.stdint cimport int32_t, int64_t
from numpy cimport (
    NPY_FLOAT32, PyArray_CheckExact, PyArray_DATA, PyArray_DIM, PyArray_ISCARRAY_RO, PyArray_NDIM, PyArray_TYPE,
    import_array, ndarray,
)
from numpy.random cimport bitgen_t
from nasdqn_fast._core.batch_arrays cimport BatchArrays
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport (
    NDQ_LARGEST_PRIORITY, NDQ_LEAST_PRIORITY, NDQ_ROW_TERMINATED, NDQ_ROW_TRUNCATED, ndq_all_finite, ndq_at_successor,
    ndq_prioritized_draw, ndq_prioritized_set, ndq_replay, ndq_replay_add, ndq_replay_add_batch, ndq_replay_draw,
    ndq_replay_follow, ndq_replay_keep, ndq_replay_over, ndq_replay_read,
)
from nasdqn_fast._core.sum_tree cimport SumTree

from nasdqn_fast._core.block import aligned_zeros
from nasdqn_fast.memory import warn_if_short
from nasdqn_fast.seeding import set_generator_state
from nasdqn_fast.space import MAX_WIDTH
from nasdqn_fast.transitions import FIELDS as _FIELDS, check_batch, check_ring, check_transition, check_transitions
from nasdqn_fast.types import Batch, PrioritizedBatch
from nasdqn_fast.validation import (
    check_ages, check_array, check_follows, check_int, check_positive_int, check_priorities, check_rng, check_slots,
    check_unit_interval,
)

import_array()

_FLOAT = np.dtype(np.float32)
_MAX_CAPACITY = 2**32 - 1  # slots are drawn with 32 bits

cdef enum:
    _FEW = 256  # transitions, which are copied sooner than the GIL is released and taken again


cdef class _Destination(BatchArrays):
    """Arrays that transitions are copied to, and the slots to copy."""

    cdef int64_t n
    cdef int64_t *slots

    def __cinit__(self, batch, ndarray slots not None, *args):
        """slots: int64 (n,), contiguous."""
        self.arrays.append(slots)
        self.n, self.slots = PyArray_DIM(slots, 0), <int64_t *>PyArray_DATA(slots)

    cdef void fill(self, const ndq_replay *replay, const int64_t *last=NULL) noexcept:
        """Next observations and flags are those of the slots `last`, if there are any."""
        if last == NULL:
            last = self.slots
        if self.n <= _FEW:
            ndq_replay_read(replay, self.slots, last, self.n, &self.at)
            return
        with nogil:
            ndq_replay_read(replay, self.slots, last, self.n, &self.at)


cdef class _PrioritizedDestination(_Destination):
    """The same, and the weights."""

    cdef readonly object sample
    cdef float *weights

    def __cinit__(self, batch, slots, ndarray weights not None):
        """weights: float32 (n,), contiguous."""
        self.arrays.append(weights)
        self.weights = <float *>PyArray_DATA(weights)
        self.sample = PrioritizedBatch(batch, slots, weights)


cdef class ReplayCore(Exclusive):
    """The last `capacity` transitions, in one row of memory each.

    A method refuses to run while another thread runs one on the same buffer.

    Args:
        capacity: transitions kept, at most 2^32 - 1.
        observation_size: numbers in an observation.
        rng: seed or Generator of the draws.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
    """

    def __cinit__(self, capacity, observation_size, rng=0, *args, **kwargs):
        cdef float[:, ::1] rows
        self.what = "replay buffer"
        self.replay = ndq_replay_over(
            NULL, check_int("capacity", capacity, 1, _MAX_CAPACITY),
            check_int("observation_size", observation_size, 1, MAX_WIDTH),
        )
        self.rng = check_rng("rng", rng)
        self._rows = aligned_zeros((self.replay.capacity, self.replay.stride))
        warn_if_short()
        rows = self._rows
        self.replay.rows = &rows[0, 0]
        self.bitgen = <bitgen_t *>PyCapsule_GetPointer(self.rng.bit_generator.capsule, "BitGenerator")
        self._lock = self.rng.bit_generator.lock

    def __len__(self):
        return self.replay.size

    @property
    def capacity(self):
        """Transitions kept at most."""
        return self.replay.capacity

    @property
    def observation_size(self):
        """Numbers in an observation."""
        return self.replay.observation_size

    def add(self, observation, action, reward, next_observation, terminated, truncated, follows=0):
        """Stores one transition over the oldest, if there is no free slot.

        Args:
            observation, next_observation: float32 (observation_size,), finite.
            action: int >= 0.
            reward: a number that is finite in float32.
            terminated, truncated: bool.
            follows: how many transitions before this one the preceding step of its episode was stored, for
                `sample_n_step`: 1 with one environment, n with n that are stored in turns; 0: it was not.

        Raises:
            TypeError, ValueError: the transition is not valid (`nasdqn_fast.transitions`); nothing was stored.
        """
        # What is valid beyond doubt is let through here; the checks in Python take 5 us, a hundred times what is done.
        if not (
            self._is_plain(observation) and self._is_plain(next_observation)
            and type(action) is int and 0 <= action <= 0x7fffffff
            and type(reward) is float and isfinite(<float>reward)
            and type(terminated) is bool and type(truncated) is bool
        ):
            observation, action, reward, next_observation, terminated, truncated = check_transition(
                observation, action, reward, next_observation, terminated, truncated,
                size=self.replay.observation_size, dtype=_FLOAT,
            )
        cdef int32_t flags = (NDQ_ROW_TERMINATED if terminated else 0) | (NDQ_ROW_TRUNCATED if truncated else 0)
        cdef int64_t distance = 0 if type(follows) is int and follows == 0 else check_follows(follows)
        self.enter()
        ndq_replay_add(
            &self.replay, <const float *>PyArray_DATA(<ndarray>observation), <int32_t>action, <float>reward,
            <const float *>PyArray_DATA(<ndarray>next_observation), flags, distance,
        )
        self.leave()

    cdef bint _is_plain(self, array) noexcept:
        """Whether it is a contiguous float32 observation, and finite."""
        return (
            PyArray_CheckExact(array)
            and PyArray_TYPE(<ndarray>array) == NPY_FLOAT32
            and PyArray_NDIM(<ndarray>array) == 1
            and PyArray_DIM(<ndarray>array, 0) == self.replay.observation_size
            and PyArray_ISCARRAY_RO(<ndarray>array)
            and ndq_all_finite(<const float *>PyArray_DATA(<ndarray>array), self.replay.observation_size)
        )

    def add_batch(self, observations, actions, rewards, next_observations, terminated, truncated, *, follows=0):
        """Stores n transitions in their order; all arrays as in `Batch`, and `follows` one number for all, as of `add`.

        Raises:
            TypeError, ValueError: one is not valid, as `add` has it; none was stored.
        """
        distance = check_follows(follows)
        batch = self._storable(Batch(observations, actions, rewards, next_observations, terminated, truncated))
        self.enter()
        self._append(batch, distance)
        self.leave()

    def _append(self, batch, int64_t follows):
        cdef BatchArrays arrays = BatchArrays(batch)
        cdef int64_t n = len(batch)
        with nogil:
            ndq_replay_add_batch(&self.replay, &arrays.at, follows, n)

    def sample(self, n, out=None):
        """n transitions, uniformly with replacement: slots ``rng.integers(0, len(self), size=n)`` of the ring.

        Args:
            n: how many.
            out: a `Batch` of arrays to write to; None makes new ones.

        Raises:
            ValueError: nothing is stored.
        """
        cdef _Destination destination = self._last
        # Outputs that are used again were checked the first time, and cannot change size while they are held.
        if destination is None or destination.batch is not out or destination.n != n:
            destination = self._new_destination(check_positive_int("n", n), out)
            self._last = None if out is None else destination
        if self.replay.size == 0:
            raise ValueError("the replay buffer is empty; add transitions before sampling")
        self.enter()
        try:
            self._lock.acquire()
            ndq_replay_draw(&self.replay, self.bitgen, destination.n, destination.slots)
            self._lock.release()
            destination.fill(&self.replay)
        finally:
            self.leave()
        return destination.batch

    def sample_n_step(self, n, n_step, gamma):
        """n transitions drawn as by `sample`, with n-step returns, as `n_step_returns` has them.

        Args:
            n: how many.
            n_step: transitions in a return, at most.
            gamma: discount, in [0, 1].

        Returns:
            what `n_step_returns` does.

        Raises:
            ValueError: nothing is stored.
        """
        n_step, gamma = check_positive_int("n_step", n_step), check_unit_interval("gamma", gamma)
        cdef _Destination destination = self._new_destination(check_positive_int("n", n), None)
        if self.replay.size == 0:
            raise ValueError("the replay buffer is empty; add transitions before sampling")
        self.enter()
        try:
            self._lock.acquire()
            ndq_replay_draw(&self.replay, self.bitgen, destination.n, destination.slots)
            self._lock.release()
            discounts = self._follow(destination, n_step, gamma)
        finally:
            self.leave()
        return destination.batch, discounts

    def n_step_returns(self, slots, n_step, gamma):
        """The transitions in these slots, with n-step returns, as Stable-Baselines3's NStepReplayBuffer has them.

        Each is followed through its episode until a termination, a truncation, the newest step that is stored, or
        `n_step` transitions: its reward is then the sum of their discounted rewards, and next observation and flags are
        those of the last.

        Args:
            slots: integers (n,) in [0, len), as `sample_prioritized` returns them.
            n_step: transitions in a return, at most.
            gamma: discount, in [0, 1].

        Returns:
            the `Batch`, and float32 (n,), the factor of the value of the next observation: gamma to the power of
            the transitions in the return.

        Raises:
            TypeError, ValueError: an argument of the wrong type or out of range.
        """
        slots = check_slots("slots", slots, self.replay.size).copy()
        n_step, gamma = check_positive_int("n_step", n_step), check_unit_interval("gamma", gamma)
        cdef _Destination destination = _Destination(Batch.empty(len(slots), self.observation_size), slots)
        self.enter()
        try:
            discounts = self._follow(destination, n_step, gamma)
        finally:
            self.leave()
        return destination.batch, discounts

    cdef _follow(self, to, int64_t n_step, double gamma):
        """Fills a _Destination with n-step returns; the discounts."""
        cdef _Destination destination = to
        cdef int64_t n = destination.n
        cdef int64_t[::1] last = np.empty(n, np.int64)
        cdef float[::1] returns = np.empty(n, np.float32), discounts = np.empty(n, np.float32)
        if n:
            with nogil:
                ndq_replay_follow(
                    &self.replay, destination.slots, n, n_step, gamma, &returns[0], &discounts[0], &last[0]
                )
            destination.fill(&self.replay, &last[0])
            destination.batch.rewards[:] = returns
        return np.asarray(discounts)

    def _new_destination(self, n, out):
        if out is None:
            out = Batch.empty(n, self.observation_size)
        else:
            self._check_writable(out, n)
        return _Destination(out, np.empty(n, np.int64))

    def prioritize(self):
        """Keeps a priority of each transition from now on; without effect where it does so already.

        New transitions get the largest priority so far, at first 1; stored ones get 1.
        """
        if self._tree is not None:
            return
        tree = SumTree(self.replay.capacity)
        tree.leaves[:self.replay.size] = self.replay.largest_priority
        tree.rebuild()
        self.enter()
        self._use_tree(tree)
        self.leave()

    cdef void _use_tree(self, SumTree tree) noexcept:
        self._tree = tree
        self.replay.priorities = &tree.tree

    cdef int _require_priorities(self) except -1:
        if self._tree is None:
            raise ValueError("the replay buffer keeps no priorities; call prioritize() first")
        return 0

    @property
    def priorities(self):
        """Copy of the priorities, float64 (len,), by slot.

        Raises:
            ValueError: it keeps none.
        """
        self._require_priorities()
        return self._tree.leaves[:self.replay.size].copy()

    def set_priorities(self, slots, priorities):
        """Sets the priorities of some transitions, the exponent alpha applied.

        Args:
            slots: integers (n,) in [0, len), as `sample_prioritized` returns them.
            priorities: float64 (n,), finite and >= 0, and moved into [1e-30, 1e38]; of a slot named twice the last.

        Raises:
            TypeError, ValueError: an argument of the wrong type or out of range, or it keeps no priorities.
        """
        self._require_priorities()
        cdef const int64_t[::1] at = check_slots("slots", slots, self.replay.size)
        cdef const double[::1] values = check_priorities(priorities, len(slots))
        self.enter()
        if at.shape[0]:
            ndq_prioritized_set(&self.replay, &at[0], &values[0], at.shape[0])
        self.leave()

    def sample_prioritized(self, n, beta=0.4, out=None):
        """n transitions by their priorities (Schaul et al. 2016, arXiv:1511.05952), stratified.

        The i-th of the n is the one in which the running sum of the priorities passes (i + u) total / n, u from
        ``rng.random(n)``.

        Args:
            n: how many.
            beta: in [0, 1], how far the weights undo what is not uniform.
            out: a `PrioritizedBatch` to write to; None makes a new one.

        Raises:
            TypeError, ValueError: an argument of the wrong type or out of range, or nothing is stored, or it keeps no
                priorities.
        """
        cdef _PrioritizedDestination destination = self._last_prioritized
        cdef double exponent = beta if type(beta) is float and 0.0 <= beta <= 1.0 else check_unit_interval("beta", beta)
        self._require_priorities()
        if destination is None or destination.sample is not out or destination.n != n:
            destination = self._new_prioritized(check_positive_int("n", n), out)
            self._last_prioritized = None if out is None else destination
        if self.replay.size == 0:
            raise ValueError("the replay buffer is empty; add transitions before sampling")
        self.enter()
        try:
            self._lock.acquire()
            ndq_prioritized_draw(
                &self.replay, self.bitgen, destination.n, exponent, destination.slots, destination.weights
            )
            self._lock.release()
            destination.fill(&self.replay)
        finally:
            self.leave()
        return destination.sample

    def _new_prioritized(self, n, out):
        if out is None:
            return _PrioritizedDestination(Batch.empty(n, self.observation_size), np.empty(n, np.int64), np.empty(n, np.float32))
        self._check_writable(out.transitions, n)
        for name, array, dtype in (("slots", out.slots, np.int64), ("weights", out.weights, np.float32)):
            check_array(f"out.{name}", array, (n,), dtype)
            if not (array.flags.c_contiguous and array.flags.writeable):
                raise ValueError(f"out.{name} must be contiguous and writable; pass what sample_prioritized() returned")
        destination = _PrioritizedDestination(out.transitions, out.slots, out.weights)
        (<_PrioritizedDestination>destination).sample = out
        return destination

    def _keep(self, kept):
        """Keeps the transitions at these places, counted from the oldest, and moves them to the first slots.

        Args:
            kept: int64 (n,) in [0, len), ascending.
        """
        kept = check_ages(kept, self.replay.size)
        if (kept[1:] <= kept[:-1]).any():
            raise ValueError("places of transitions to keep must ascend")
        cdef int64_t n = len(kept)
        scratch = np.empty((n, self.replay.stride), np.float32)
        self.enter()
        if n:
            ndq_replay_keep(
                &self.replay, <const int64_t *>PyArray_DATA(<ndarray>kept), n, <float *>PyArray_DATA(<ndarray>scratch)
            )
        self.leave()

    def transitions(self, ages=None):
        """Copies of the transitions at these places, counted from the oldest; None: all.

        Args:
            ages: integers (n,) in [0, len).
        """
        size = self.replay.size
        ages = np.arange(size) if ages is None else check_ages(ages, size)
        return self._copies((ages + self.replay.next - size) % self.replay.capacity)

    def get_state(self):
        """The filled slots in the order of the ring, so that equal draws meet equal transitions."""
        batch = self._copies(np.arange(self.replay.size))
        arrays = {name: getattr(batch, name) for name in _FIELDS}
        if self._tree is not None:
            arrays |= {"priorities": self.priorities, "largest_priority": self.replay.largest_priority}
        return {
            "capacity": self.capacity, "next": self.replay.next, "rng": self.rng.bit_generator.state, **arrays,
            "successors": self._successors()[:self.replay.size].copy(),
        }

    def _successors(self):
        """int32 (capacity,): the field of that name of each row, to read and to write."""
        return self._rows.view(np.int32)[:, ndq_at_successor(&self.replay)]

    def set_state(self, state):
        """Restores a state returned by `get_state`.

        A buffer that keeps priorities gives each transition of a state without them a priority of 1.

        Raises:
            TypeError, ValueError: the state is that of another capacity or observation size, or damaged; nothing
                was changed.
        """
        cdef SumTree tree
        batch, next_slot, successors, priorities, largest = check_ring(
            state, self.capacity, size=self.observation_size, dtype=_FLOAT,
            range_of_priorities=(NDQ_LEAST_PRIORITY, NDQ_LARGEST_PRIORITY),
        )
        tree = SumTree(self.replay.capacity) if self._tree is None and "priorities" in state else self._tree
        self.enter()
        try:
            set_generator_state(self.rng, state["rng"])
            self.replay.size = self.replay.next = 0
            self.replay.largest_action = -1
            self.replay.largest_priority = largest
            self.replay.priorities = NULL  # set in one piece below
            self._append(batch, 0)
            self._successors()[:len(batch)] = successors
            if tree is not None:
                tree.leaves[...] = 0
                tree.leaves[:len(batch)] = priorities
                tree.rebuild()
                self._use_tree(tree)
            self.replay.next = next_slot
            self.replay.version += 1
        finally:
            self.leave()

    def _copies(self, slots):
        batch = Batch.empty(len(slots), self.observation_size)
        if len(slots) == 0:
            return batch
        destination = _Destination(batch, slots)
        self.enter()
        try:
            destination.fill(&self.replay)
        finally:
            self.leave()
        return batch

    def _storable(self, batch):
        """The same batch, checked, of any length."""
        return check_transitions(batch, size=self.observation_size, dtype=_FLOAT)

    def _check_writable(self, batch, n):
        """Refuses arrays that n transitions cannot be written to."""
        check_batch(batch, n, size=self.observation_size, dtype=_FLOAT)
        for name in _FIELDS:
            array = getattr(batch, name)
            if not (array.flags.c_contiguous and array.flags.writeable):
                raise ValueError(f"out.{name} must be contiguous and writable; pass a Batch that sample() returned")
