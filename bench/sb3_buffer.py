"""Adding to and sampling from Stable-Baselines3's replay buffer beside ours, conversion to PyTorch included.

    python bench/sb3_buffer.py
    python bench/sb3_buffer.py --batches 64 --rounds 20

CPU time of one thread, both in turns, the least of all rounds: a neighbour on the machine lengthens, and never
shortens. Needs the extra [sb3].
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common import buffers

from nasdqn_fast.benchmarking import machine
from nasdqn_fast.interop.sb3 import ReplayBuffer

CAPACITY, CALLS = 10_000, 500


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)

    machine.pin()
    torch.set_num_threads(1)
    pair = [filled(buffers.ReplayBuffer), filled(ReplayBuffer)]
    show("add", [adding(buffer) for buffer in pair], options.rounds)
    for batch in options.batches:
        show(f"sample({batch})", [sampling(buffer, batch) for buffer in pair], options.rounds)


def filled(kind: type[buffers.ReplayBuffer]) -> buffers.ReplayBuffer:
    """A full buffer of CartPole's transitions."""
    buffer = kind(CAPACITY, spaces.Box(-1, 1, (4,), np.float32), spaces.Discrete(2), device="cpu")
    add = adding(buffer)
    for _ in range(CAPACITY):
        add()
    return buffer


def adding(buffer: buffers.ReplayBuffer) -> Callable[[], Any]:
    observation, action = np.ones((1, 4), np.float32), np.ones(1, np.int64)
    reward, done, infos = np.ones(1, np.float32), np.zeros(1, bool), [{}]
    return lambda: buffer.add(observation, observation, action, reward, done, infos)


def sampling(buffer: buffers.ReplayBuffer, batch: int) -> Callable[[], Any]:
    return lambda: buffer.sample(batch)


def show(name: str, calls: Sequence[Callable[[], Any]], rounds: int) -> None:
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for call, measured in zip(calls, times, strict=True):
            started = time.thread_time()
            for _ in range(CALLS):
                call()
            measured.append((time.thread_time() - started) / CALLS * 1e6)
    theirs, ours = (min(measured) for measured in times)
    print(f"{name:12} theirs {theirs:6.1f} us   ours {ours:6.1f} us   {theirs / ours:4.1f}x")


if __name__ == "__main__":
    main()
