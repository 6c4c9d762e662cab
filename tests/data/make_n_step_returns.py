"""Keeps, in n_step_returns.npz, what Stable-Baselines3's NStepReplayBuffer makes of random episodes.

    python tests/data/make_n_step_returns.py    # needs stable-baselines3 >= 2.7 (2.9.2 has made what is kept)

For each number of environments E there are SEQUENCES of STEPS vector steps, arrays (sequence, step, environment), whose
discount is GAMMAS[sequence % 4]. Outcomes are arrays (sequence, place in AFTER, n - 1, slot, environment): of each
transition that a buffer of SIZE vector steps holds after AFTER of them, NaN where it holds none. Observation number
t E + e is that of environment e before step t, and half a number more is the one after it. Rewards are eighths, so that
with the first three discounts no number is rounded.
"""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np

FILE = Path(__file__).with_name("n_step_returns.npz")
ENVS = (1, 2, 3)
SEQUENCES, STEPS, SIZE = 12, 31, 13
AFTER = (9, 13, 31)  # not full, just full, written over twice and a half
N_STEPS = (1, 2, 3, 4, 5)
GAMMAS = (0.5, 0.75, 1.0, 0.99)


def episodes(n_envs: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Rewards and ends of all sequences, from rare to frequent."""
    shape = SEQUENCES, STEPS, n_envs
    ends = rng.random(shape) < np.linspace(0, 0.4, SEQUENCES)[:, None, None]
    by_time = rng.random(shape) < 0.5
    rewards = (rng.integers(-8, 9, shape) / 8).astype(np.float32)
    return {"rewards": rewards, "terminated": ends & ~by_time, "truncated": ends & by_time}


def outcomes(given: dict[str, np.ndarray], sequence: int, after: int, n_step: int) -> dict[str, np.ndarray]:
    """Arrays (slot, environment), from a buffer filled by its own `add`."""
    from gymnasium import spaces
    from stable_baselines3.common.buffers import NStepReplayBuffer

    n_envs = given["rewards"].shape[2]
    buffer = NStepReplayBuffer(
        SIZE * n_envs,
        spaces.Box(-np.inf, np.inf, (1,)),
        spaces.Discrete(2),
        n_envs=n_envs,
        n_steps=n_step,
        gamma=GAMMAS[sequence % len(GAMMAS)],
    )
    for t in range(after):
        rewards, terminated, truncated = (given[name][sequence, t] for name in ("rewards", "terminated", "truncated"))
        numbers = np.arange(t * n_envs, (t + 1) * n_envs, dtype=np.float32)[:, None]
        infos = [{"TimeLimit.truncated": bool(flag)} for flag in truncated]
        buffer.add(numbers, numbers + 0.5, np.zeros((n_envs, 1), np.int64), rewards, terminated | truncated, infos)
    slots, envs = (grid.ravel() for grid in np.mgrid[: buffer.size(), :n_envs])
    with mock.patch("numpy.random.randint", return_value=envs):  # in place of its draw of environments
        samples = buffer._get_samples(slots)
    found = {}
    for name in ("rewards", "next_observations", "dones", "discounts"):
        found[name] = np.full((SIZE, n_envs), np.nan, np.float32)
        found[name][slots, envs] = getattr(samples, name).numpy().ravel()
    return found


def main() -> None:
    arrays = {}
    for n_envs in ENVS:
        given = episodes(n_envs, np.random.default_rng(n_envs))
        arrays |= {f"{name}_{n_envs}": array for name, array in given.items()}
        of_all = [
            [[outcomes(given, sequence, after, n_step) for n_step in N_STEPS] for after in AFTER]
            for sequence in range(SEQUENCES)
        ]
        for name in of_all[0][0][0]:
            stacked = np.array([[[found[name] for found in row] for row in rows] for rows in of_all])
            arrays[f"sampled_{name}_{n_envs}"] = stacked
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    main()
