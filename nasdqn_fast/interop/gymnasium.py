"""The environments as Gymnasium's; importing this module, as `nasdqn_fast` does, registers their ids.

import gymnasium
import nasdqn_fast

env = gymnasium.make("nasdqn_fast/InvertedPendulum-v0", start="hanging")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import register as register_id

from nasdqn_fast import envs, plugins
from nasdqn_fast._core.environment import EnvironmentCore


class KernelEnv(gymnasium.Env[np.ndarray, np.integer]):
    """An `EnvKernel`, compiled, as a Gymnasium environment.

    It does not count steps: the time limit is Gymnasium's TimeLimit, which `gymnasium.make` adds.
    The initial state is drawn from ``np_random``, seeded by ``reset(seed=...)``.

    Args:
        env, start, params: see `nasdqn_fast.envs.make`.

    Raises:
        InputError: unknown name, start or parameter, or a function that does not compile.
    """

    metadata = {"render_modes": []}  # noqa: RUF012, Gymnasium's own form

    def __init__(
        self,
        env: str | envs.EnvKernel | envs.Environment,
        start: str | None = None,
        params: Mapping[str, float] | None = None,
    ) -> None:
        self.environment = envs.make(env, start=start, params=params)
        self.observation_space = gymnasium.spaces.Box(
            self.environment.observation_low, self.environment.observation_high, dtype=np.float32
        )
        self.action_space = gymnasium.spaces.Discrete(self.environment.n_actions)
        self._core = EnvironmentCore(self.environment)
        self._state: np.ndarray | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode; `options` are not used."""
        super().reset(seed=seed)
        kernel = self.environment.kernel
        self._state = np.empty(kernel.state_size)
        observation = np.empty(kernel.observation_size, np.float32)
        self._core.reset(self.np_random.random(kernel.reset_uniforms), self._state, observation)
        return observation, {}

    def step(self, action: np.integer) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One step; never truncates.

        Raises:
            RuntimeError: before the first reset.
            StepError: the environment reported an error.
            TypeError, ValueError: no such action.
        """
        if self._state is None:
            raise RuntimeError("step was called before reset; call reset() first")
        kernel = self.environment.kernel
        observation = np.empty(kernel.observation_size, np.float32)
        uniforms = self.np_random.random(kernel.step_uniforms)
        reward, terminated = self._core.step(uniforms, self._state, action, observation)
        return observation, reward, terminated, False, {}


def register() -> None:
    """Registers the built-in environments, as ``nasdqn_fast/CartPole-v1``; those already known are left alone."""
    for name in plugins.names("environments"):
        kernel = envs.make(name).kernel
        env_id = f"{envs.NAMESPACE}/{kernel.gymnasium_id}"
        if kernel.gymnasium_id is not None and env_id not in gymnasium.registry:
            register_id(
                env_id,
                entry_point=f"{__name__}:{KernelEnv.__name__}",
                max_episode_steps=kernel.max_episode_steps,
                reward_threshold=kernel.threshold,
                kwargs={"env": name},
            )


register()
