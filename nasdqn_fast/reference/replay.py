"""The replay memory in plain NumPy: a ring of transitions (Lin 1992; Mnih et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nasdqn_fast import memory
from nasdqn_fast.engine.base_replay import BaseReplay
from nasdqn_fast.errors import out_of_memory
from nasdqn_fast.reference import priorities as prioritized
from nasdqn_fast.seeding import set_generator_state
from nasdqn_fast.transitions import FIELDS, check_batch, check_ring, check_transition, check_transitions
from nasdqn_fast.types import Batch, PrioritizedBatch
from nasdqn_fast.validation import (
    check_ages,
    check_float_dtype,
    check_follows,
    check_positive_int,
    check_priorities,
    check_rng,
    check_slots,
    check_unit_interval,
)


class ReplayBuffer(BaseReplay):
    """The last `capacity` transitions.

    Args:
        capacity: transitions kept.
        observation_size: numbers in an observation.
        rng: seed or Generator of the draws.
        dtype: of observations and rewards.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
        InputError: more memory than there is.
    """

    def __init__(
        self,
        capacity: int,
        observation_size: int,
        rng: int | np.random.Generator = 0,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.capacity = check_positive_int("capacity", capacity)
        self.observation_size = check_positive_int("observation_size", observation_size)
        self.dtype = check_float_dtype("dtype", dtype)
        self._rng = check_rng("rng", rng)
        self._allocate()
        self._size = 0
        self._next = 0  # the slot that is written next
        self._version = 0  # raised with every change of a transition
        self._priorities: np.ndarray | None = None  # (capacity,), zero where nothing is stored; None: it keeps none
        self._largest_priority = 1.0  # of all so far: what a new transition gets

    @property
    def rng(self) -> np.random.Generator:
        """The generator of the draws."""
        return self._rng

    @property
    def version(self) -> int:
        """A number that every change of what is stored raises."""
        return self._version

    def __len__(self) -> int:
        return self._size

    def add(
        self,
        observation: np.ndarray,
        action: int,
        reward: float,
        next_observation: np.ndarray,
        terminated: bool,
        truncated: bool,
        follows: int = 0,
    ) -> None:
        """Stores one transition over the oldest, if there is no free slot.

        Args:
            observation, action, reward, next_observation, terminated, truncated: the transition.
            follows: how many transitions before this one the preceding step of its episode was stored, for
                `sample_n_step`: 1 with one environment, n with n that are stored in turns; 0: it was not.

        Raises:
            TypeError, ValueError: the transition is not valid (`nasdqn_fast.transitions`); nothing was stored.
        """
        transition = check_transition(
            observation,
            action,
            reward,
            next_observation,
            terminated,
            truncated,
            size=self.observation_size,
            dtype=self.dtype,
        )
        self._store(transition, check_follows(follows))

    def _store(self, transition: Sequence[Any], follows: int) -> None:
        if 0 < follows <= self._size and follows < self.capacity:
            self._successors[(self._next - follows) % self.capacity] = follows
        self._successors[self._next] = 0
        self._version += 1
        for name, value in zip(FIELDS, transition, strict=True):
            getattr(self._ring, name)[self._next] = value
        if self._priorities is not None:
            self._priorities[self._next] = self._largest_priority
        self._next = (self._next + 1) % self.capacity
        self._size = min(self._size + 1, self.capacity)

    def add_batch(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        rewards: np.ndarray,
        next_observations: np.ndarray,
        terminated: np.ndarray,
        truncated: np.ndarray,
        *,
        follows: int = 0,
    ) -> None:
        """Stores n transitions in their order; all arrays as in `Batch`, and `follows` one number for all, as of `add`.

        Raises:
            TypeError, ValueError: one is not valid, as `add` has it; none was stored.
        """
        follows = check_follows(follows)
        batch = self._storable(Batch(observations, actions, rewards, next_observations, terminated, truncated))
        for i in range(len(batch)):
            self._store([getattr(batch, name)[i] for name in FIELDS], follows)

    def sample(self, n: int, out: Batch | None = None) -> Batch:
        """n transitions, uniformly with replacement: ``rng.integers(0, len(self), size=n)``, as slots of the ring.

        Args:
            n: how many.
            out: arrays to write to; None makes new ones.

        Raises:
            ValueError: nothing is stored.
        """
        n = check_positive_int("n", n)
        if out is None:
            out = Batch.empty(n, self.observation_size, self.dtype)
        check_batch(out, n, size=self.observation_size, dtype=self.dtype)
        if self._size == 0:
            raise ValueError("the replay buffer is empty; add transitions before sampling")
        slots = self._rng.integers(0, self._size, size=n)
        for name in FIELDS:
            getattr(out, name)[:] = getattr(self._ring, name)[slots]
        return out

    def prioritize(self) -> None:
        """Keeps a priority of each transition from now on; without effect where it does so already.

        New transitions get the largest priority so far, at first 1; stored ones get 1.
        """
        if self._priorities is None:
            self._priorities = np.zeros(self.capacity)
            self._priorities[: self._size] = self._largest_priority

    @property
    def priorities(self) -> np.ndarray:
        """Copy of the priorities, float64 (len,), by slot.

        Raises:
            ValueError: it keeps none.
        """
        return self._kept_priorities()[: self._size].copy()

    def _kept_priorities(self) -> np.ndarray:
        if self._priorities is None:
            raise ValueError("the replay buffer keeps no priorities; call prioritize() first")
        return self._priorities

    def set_priorities(self, slots: np.ndarray, priorities: np.ndarray) -> None:
        """Sets the priorities of some transitions, the exponent alpha applied.

        Args:
            slots: integers (n,) in [0, len), as `sample_prioritized` returns them.
            priorities: float64 (n,), finite and >= 0, and moved into [1e-30, 1e38]; of a slot named twice the last.

        Raises:
            TypeError, ValueError: an argument of the wrong type or out of range, or it keeps no priorities.
        """
        kept = self._kept_priorities()
        slots = check_slots("slots", slots, self._size)
        values = prioritized.bounded(check_priorities(priorities, len(slots)))
        kept[slots] = values
        self._largest_priority = float(values.max(initial=self._largest_priority))

    def sample_prioritized(self, n: int, beta: float = 0.4, out: PrioritizedBatch | None = None) -> PrioritizedBatch:
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
        beta = check_unit_interval("beta", beta)
        priorities = self._kept_priorities()[: self._size]
        n = check_positive_int("n", n)
        if out is None:
            out = PrioritizedBatch(
                Batch.empty(n, self.observation_size, self.dtype), np.zeros(n, np.int64), np.zeros(n, np.float32)
            )
        check_batch(out.transitions, n, size=self.observation_size, dtype=self.dtype)
        if self._size == 0:
            raise ValueError("the replay buffer is empty; add transitions before sampling")
        out.slots[:] = prioritized.draw(priorities, n, self._rng)
        out.weights[:] = prioritized.importance_weights(priorities[out.slots], beta)
        for name in FIELDS:
            getattr(out.transitions, name)[:] = getattr(self._ring, name)[out.slots]
        return out

    def sample_n_step(self, n: int, n_step: int, gamma: float) -> tuple[Batch, np.ndarray]:
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
        n, n_step = check_positive_int("n", n), check_positive_int("n_step", n_step)
        gamma = check_unit_interval("gamma", gamma)
        if self._size == 0:
            raise ValueError("the replay buffer is empty; add transitions before sampling")
        return self.n_step_returns(self._rng.integers(0, self._size, size=n), n_step, gamma)

    def n_step_returns(self, slots: np.ndarray, n_step: int, gamma: float) -> tuple[Batch, np.ndarray]:
        """The transitions in these slots, with n-step returns, as Stable-Baselines3's NStepReplayBuffer has them.

        Each is followed through its episode until a termination, a truncation, the newest step that is stored, or
        `n_step` transitions: its reward is then the sum of their discounted rewards, and next observation and flags are
        those of the last.

        Args:
            slots: integers (n,) in [0, len), as `sample_prioritized` returns them.
            n_step: transitions in a return, at most.
            gamma: discount, in [0, 1].

        Returns:
            the `Batch`, and (n,), the factor of the value of the next observation: gamma to the power of the
            transitions in the return.

        Raises:
            TypeError, ValueError: an argument of the wrong type or out of range.
        """
        slots, n_step = check_slots("slots", slots, self._size), check_positive_int("n_step", n_step)
        gamma = check_unit_interval("gamma", gamma)
        n, ring = len(slots), self._ring
        last, returns, discounts = slots.copy(), ring.rewards[slots].astype(np.float64), np.full(n, gamma)
        goes_on = np.ones(n, bool)
        for _ in range(n_step - 1):
            goes_on &= (self._successors[last] > 0) & ~ring.terminated[last] & ~ring.truncated[last]
            if not goes_on.any():
                break
            last[goes_on] = (last + self._successors[last])[goes_on] % self.capacity
            returns[goes_on] += (discounts * ring.rewards[last])[goes_on]
            discounts[goes_on] *= gamma
        with np.errstate(over="ignore"):  # it ends in a loss that is not finite, which is reported
            batch = Batch(
                ring.observations[slots],
                ring.actions[slots],
                returns.astype(self.dtype),
                ring.next_observations[last],
                ring.terminated[last],
                ring.truncated[last],
            )
        return batch, discounts.astype(self.dtype)

    def _keep(self, stay: np.ndarray) -> None:
        kept = self.transitions()
        successors = self._successors[(np.arange(self._size) + self._next - self._size) % self.capacity]
        for name in FIELDS:
            getattr(self._ring, name)[: len(stay)] = getattr(kept, name)[stay]
        # Where each successor is by now: among those that stay, or nowhere.
        place_of = np.full(self._size, -1)
        place_of[stay] = np.arange(len(stay))
        place = place_of[stay + successors[stay]]
        self._successors[: len(stay)] = np.where(place < 0, 0, place - np.arange(len(stay)))
        if self._priorities is not None:
            priorities = self._priorities[(stay + self._next - self._size) % self.capacity]
            self._priorities[:] = 0
            self._priorities[: len(stay)] = priorities
        self._size = len(stay)
        self._next = self._size % self.capacity
        self._version += 1

    def transitions(self, ages: np.ndarray | None = None) -> Batch:
        """Copies of the transitions at these places, counted from the oldest; None: all.

        Args:
            ages: integers (n,) in [0, len).
        """
        ages = np.arange(self._size) if ages is None else check_ages(ages, self._size)
        slots = (ages + self._next - self._size) % self.capacity
        return Batch(*(getattr(self._ring, name)[slots] for name in FIELDS))

    def get_state(self) -> dict[str, Any]:
        """The filled slots in the order of the ring, so that equal draws meet equal transitions."""
        arrays: dict[str, Any] = {name: getattr(self._ring, name)[: self._size].copy() for name in FIELDS}
        if self._priorities is not None:
            arrays |= {"priorities": self.priorities, "largest_priority": self._largest_priority}
        return {
            "capacity": self.capacity,
            "next": self._next,
            "rng": self._rng.bit_generator.state,
            **arrays,
            "successors": self._successors[: self._size].copy(),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Restores a state returned by `get_state`.

        A buffer that keeps priorities gives each transition of a state without them a priority of 1.

        Raises:
            TypeError, ValueError: the state is that of another capacity or observation size, or damaged; nothing
                was changed.
        """
        batch, next_slot, successors, priorities, largest = check_ring(
            state,
            self.capacity,
            size=self.observation_size,
            dtype=self.dtype,
            range_of_priorities=(prioritized.LEAST, prioritized.LARGEST),
        )
        set_generator_state(self._rng, state["rng"])
        self._largest_priority = largest
        if self._priorities is not None or "priorities" in state:
            self._priorities = np.zeros(self.capacity)
            self._priorities[: len(batch)] = priorities
        for name in FIELDS:
            getattr(self._ring, name)[: len(batch)] = getattr(batch, name)
        self._successors[: len(batch)] = successors
        self._size, self._next = len(batch), next_slot
        self._version += 1

    def __getstate__(self) -> dict[str, Any]:
        """The filled slots instead of all."""
        rings = ("_ring", "_successors", "_priorities")
        return {k: v for k, v in vars(self).items() if k not in rings} | {"state": self.get_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        filled = state.pop("state")
        vars(self).update(state)
        self._priorities = None
        self._allocate()
        version = self._version
        self.set_state(filled)
        self._version = version  # an agent that was copied with it has it, too

    def _allocate(self) -> None:
        n_bytes = self.capacity * (
            4 + sum(getattr(Batch.empty(1, self.observation_size, self.dtype), name).nbytes for name in FIELDS)
        )
        try:
            self._ring = Batch.empty(self.capacity, self.observation_size, self.dtype)
            # How many slots on the next step of the episode is, 0 where it is not stored.
            self._successors = np.zeros(self.capacity, np.int32)
        except (MemoryError, ValueError):
            raise out_of_memory(n_bytes) from None
        memory.promise(self, n_bytes)
        memory.warn_if_short()

    def _storable(self, batch: Batch) -> Batch:
        """The same batch, checked, of any length."""
        return check_transitions(batch, size=self.observation_size, dtype=self.dtype)
