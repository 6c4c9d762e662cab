"""Replay memory: adding and sampling, from Python and in bulk, against the time of a cache miss.

Beside it Stable-Baselines3's buffer and the one that takes its place, where they are installed.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from nasdqn_fast.benchmarking import sb3_buffer
from nasdqn_fast.benchmarking.case import Case, repeated, times
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import BATCH, CAPACITY, filled_replay, transitions
from nasdqn_fast.engine.replay import ReplayBuffer

GROUP = "replay"
LARGE = 1_000_000  # transitions, far more than a cache holds
PRIORITIZED = 100_000  # transitions
BULK = 1_024  # batches of one call: enough to forget what the call itself costs
LINE = 64  # bytes


def add(replay: ReplayBuffer) -> Case:
    """One transition a call."""
    observation, next_observation = (np.zeros(replay.observation_size, np.float32) for _ in range(2))
    call = functools.partial(replay.add, observation, 1, 0.5, next_observation, False, False)
    return Case("add one, from Python", Unit.NANOSECONDS, repeated(call))


def add_bulk(replay: ReplayBuffer) -> Case:
    """Many transitions a call, in nanoseconds each."""
    call = functools.partial(replay.add_batch, *transitions(BULK))
    return Case(f"add, {BULK:,} a call", Unit.NANOSECONDS, repeated(call), items=BULK)


def sample(replay: ReplayBuffer) -> Case:
    """A minibatch a call, into arrays that are there already."""
    out = replay.sample(BATCH)
    call = functools.partial(replay.sample, BATCH, out=out)
    return Case(f"sample {BATCH} of {replay.capacity:,}, from Python", Unit.NANOSECONDS, repeated(call))


def sample_prioritized(replay: ReplayBuffer) -> Case:
    """A minibatch by priorities a call, which are all different, into arrays that are there already."""
    replay.prioritize()
    slots = np.arange(replay.capacity)
    replay.set_priorities(slots, np.random.default_rng(0).random(replay.capacity))
    call = functools.partial(replay.sample_prioritized, BATCH, out=replay.sample_prioritized(BATCH))
    return Case(f"sample {BATCH} of {replay.capacity:,} by priority, from Python", Unit.NANOSECONDS, repeated(call))


def set_priorities(replay: ReplayBuffer) -> Case:
    """The priorities of a minibatch a call."""
    replay.prioritize()
    slots = np.sort(np.random.default_rng(0).integers(replay.capacity, size=BATCH))
    call = functools.partial(replay.set_priorities, slots, np.random.default_rng(1).random(BATCH))
    return Case(f"set {BATCH} priorities of {replay.capacity:,}, from Python", Unit.NANOSECONDS, repeated(call))


def sample_bulk(replay: ReplayBuffer) -> Case:
    """Many minibatches a call, in nanoseconds each."""
    out = replay.sample(BULK * BATCH)
    return Case(
        f"sample {BATCH} of {replay.capacity:,}, in bulk",
        Unit.NANOSECONDS,
        repeated(functools.partial(replay.sample, BULK * BATCH, out=out)),
        items=BULK,
        limit=times(BATCH, _misses_name(replay.capacity)),
    )


def misses(capacity: int) -> Case:
    """Cache lines at random places that are known beforehand: what memory allows a gather of as many transitions.

    NumPy copies items of 32 bytes without a call for each, so that the processor has many misses under way at once.
    """
    halves = np.zeros(capacity * 2, f"V{LINE // 2}")
    halves.view(np.uint8)[:] = 1  # every page is really there
    places = 2 * np.random.default_rng(0).integers(capacity, size=BULK * BATCH)
    out = np.empty(len(places), halves.dtype)
    # mode: the default one, "raise", goes through a buffer.
    call = functools.partial(np.take, halves, places, out=out, mode="clip")
    return Case(_misses_name(capacity), Unit.NANOSECONDS, repeated(call), items=len(places))


def figures(session: Session) -> list[Figure]:
    small, large = filled_replay(CAPACITY), filled_replay(LARGE)
    cases = [add(small), add_bulk(small)]
    for replay in (small, large):
        cases += [misses(replay.capacity), sample(replay), sample_bulk(replay)]
    prioritized = filled_replay(PRIORITIZED)
    cases += [sample(prioritized), sample_prioritized(prioritized), set_priorities(prioritized)]
    half = dataclasses.replace(session, seconds=session.seconds / 2)
    return half.measure(GROUP, cases) + sb3_buffer.figures(half, GROUP)


def _misses_name(capacity: int) -> str:
    return f"one cache line of {capacity:,}"
