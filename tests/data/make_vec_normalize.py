"""Makes tests/data/vec_normalize.npz: what VecNormalize of Stable-Baselines3 2.9.2 makes of some observations.

Needs stable-baselines3. The observations are float64 that float32 can hold, so that its batch means are not rounded to
float32 on the way.
"""

from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

OUT = Path(__file__).with_name("vec_normalize.npz")
N_ENVS, STEPS = 3, 60


class Noise(gymnasium.Env):
    """Episodes of a few steps: numbers far from 0, small, constant, and one that is 0 but once, late."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float64)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, length: int) -> None:
        self.length, self.steps, self.rng, self.seen = length, 0, np.random.default_rng(length), 0

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return self._observation(), {}

    def step(self, action):
        self.steps += 1
        return self._observation(), 0.0, self.steps == self.length, False, {}

    def _observation(self) -> np.ndarray:
        self.seen += 1
        once = 50.0 if self.length == 5 and self.seen == 58 else 0.0
        values = [self.rng.normal(100.0, 3.0), self.rng.normal(0.0, 1e-3), 7.5, once]
        return np.array(values, np.float32).astype(np.float64)


if __name__ == "__main__":
    envs = VecNormalize(DummyVecEnv([lambda n=n: Noise(n) for n in (4, 5, 7)]), norm_obs=True, norm_reward=False)
    rows = []
    normalized = envs.reset()
    for _ in range(STEPS):
        now = envs.obs_rms
        rows.append((envs.get_original_obs(), normalized, now.mean.copy(), now.var.copy(), now.count))
        normalized, *_ = envs.step(np.zeros(N_ENVS, np.int64))
    names = "observations", "normalized", "means", "variances", "counts"
    columns = map(np.array, zip(*rows, strict=True))
    np.savez_compressed(OUT, **dict(zip(names, columns, strict=True)))
