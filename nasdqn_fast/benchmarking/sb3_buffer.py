"""Stable-Baselines3's replay buffer beside ours: adding, and sampling with the conversion to PyTorch's tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from nasdqn_fast.benchmarking.case import Case, repeated
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import CAPACITY
from nasdqn_fast.extras import MissingExtra

NAME = "sb3 buffer"
BATCHES = (32, 256)
N_STEPS = 3


def figures(session: Session, group: str) -> list[Figure]:
    """Times of both, and how many times faster ours is; none, and a line about it, where they are not installed."""
    try:
        from nasdqn_fast.interop import sb3
    except MissingExtra as missing:
        session.facts[NAME] = f"left out: {missing}"
        return []
    buffers = sb3.buffers
    one_step = filled(sb3.ReplayBuffer), filled(buffers.ReplayBuffer)
    n_step = (
        filled(functools.partial(sb3.ReplayBuffer, n_steps=N_STEPS)),
        filled(functools.partial(buffers.NStepReplayBuffer, n_steps=N_STEPS)),
    )
    calls = {"add": tuple(map(adding, one_step))}
    for batch in BATCHES:
        calls[f"sample {batch}"] = tuple(functools.partial(buffer.sample, batch) for buffer in one_step)
        calls[f"sample {batch}, {N_STEPS}-step"] = tuple(functools.partial(buffer.sample, batch) for buffer in n_step)
    cases = [
        Case(f"{NAME}, {what}, {whose}", Unit.MICROSECONDS, repeated(call))
        for what, pair in calls.items()
        for whose, call in zip(("ours", "theirs"), pair, strict=True)
    ]
    timings = session.time(cases)
    pairs = zip(calls, timings[::2], timings[1::2], strict=True)
    ratios = [
        session.ratio(group, f"{NAME}, {what}, ours : theirs, speed", ours, theirs) for what, ours, theirs in pairs
    ]
    return session.figures(group, timings) + ratios


def filled(kind: Callable[..., Any]) -> Any:
    """A full buffer of CartPole's transitions."""
    buffer = kind(CAPACITY, spaces.Box(-1, 1, (4,), np.float32), spaces.Discrete(2), device="cpu")
    add = adding(buffer)
    for _ in range(CAPACITY):
        add()
    return buffer


def adding(buffer: Any) -> Callable[[], Any]:
    """Adds a transition, as SB3's algorithms pass one of a single environment."""
    observation, action = np.ones((1, 4), np.float32), np.ones(1, np.int64)
    reward, done = np.ones(1, np.float32), np.zeros(1, bool)
    return functools.partial(buffer.add, observation, observation, action, reward, done, [{}])
