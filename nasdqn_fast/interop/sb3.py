"""A replay buffer for Stable-Baselines3 (extra ``[sb3]``), and for CleanRL, whose buffer is a copy of theirs.

from nasdqn_fast.interop.sb3 import ReplayBuffer

model = stable_baselines3.DQN("MlpPolicy", env, replay_buffer_class=ReplayBuffer)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from nasdqn_fast._core.ring import can_walk, draw, put, take, walk
from nasdqn_fast.errors import InputError
from nasdqn_fast.extras import optional

if TYPE_CHECKING:
    import torch
    from stable_baselines3.common.type_aliases import ReplayBufferSamples
    from stable_baselines3.common.vec_env import VecNormalize

optional("torch", "sb3")  # first: Stable-Baselines3 imports it
buffers: Any = optional("stable_baselines3.common.buffers", "sb3")

_FIELDS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


class ReplayBuffer(buffers.ReplayBuffer):  # type: ignore[misc]
    """Stable-Baselines3's replay buffer, faster: the same draws from NumPy's global generator, the same tensors.

    It has the same attributes, which can be read and written as theirs; the arrays are views of one array with a row
    for each transition, so that a transition drawn from a large buffer is one place in memory and not six. What is
    slow in theirs is compiled: drawing, copying and storing. Any type of observation and action is stored as it is.

    Args:
        buffer_size, observation_space, action_space, device, n_envs: as in
            ``stable_baselines3.common.buffers.ReplayBuffer``.
        optimize_memory_usage, handle_timeout_termination: the same.
        n_steps: length of n-step returns, as in ``NStepReplayBuffer``: samples have ``discounts``. None: one step, and
            samples without ``discounts``.
        gamma: discount factor of the n-step returns; without `n_steps` it is not used.

    Raises:
        InputError: a Dict of observations, which SB3 keeps in ``DictReplayBuffer``.
        NotImplementedError: n-step returns together with `optimize_memory_usage`, as in SB3.
        ValueError: `optimize_memory_usage` together with `handle_timeout_termination`, as in SB3.
    """

    pos: int
    full: bool

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        device: torch.device | str = "auto",
        n_envs: int = 1,
        optimize_memory_usage: bool = False,
        handle_timeout_termination: bool = True,
        *,
        n_steps: int | None = None,
        gamma: float = 0.99,
    ) -> None:
        if isinstance(observation_space, spaces.Dict):
            raise InputError(
                "nasdqn_fast's ReplayBuffer stores observations that are one array, not a Dict; leave "
                "replay_buffer_class out, and SB3 uses its DictReplayBuffer"
            )
        super().__init__(
            buffer_size,
            observation_space,
            action_space,
            device,
            n_envs=n_envs,
            optimize_memory_usage=optimize_memory_usage,
            handle_timeout_termination=handle_timeout_termination,
        )
        if n_steps is not None and optimize_memory_usage:
            # SB3's own class of error, so that scripts catch the same from its NStepReplayBuffer and from this.
            raise NotImplementedError("n-step returns do not support optimize_memory_usage=True")
        self.n_steps = n_steps
        self.gamma = gamma
        self._is_discrete = isinstance(observation_space, spaces.Discrete)
        self._join({})

    def _join(self, contents: dict[str, np.ndarray]) -> None:
        """Makes the arrays views of one with a row for each transition, zero but for `contents`."""
        own = {name: getattr(self, name) for name in _FIELDS if hasattr(self, name)}
        types = [(name, array.dtype, array.shape[2:]) for name, array in own.items()]
        rows = np.zeros((self.buffer_size, self.n_envs), np.dtype(types, align=True))
        for name in own:
            setattr(self, name, rows[name])
        for name, array in contents.items():
            rows[name] = array

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A pickle holds the six arrays apart, as SB3's does: NumPy does not keep views together.
        self.__dict__.update(state)
        self._join({name: state[name] for name in _FIELDS if name in state})

    def add(
        self,
        obs: np.ndarray,
        next_obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        """Stores one transition of each environment.

        Args:
            obs, next_obs: (n_envs, *shape of an observation).
            action: (n_envs, ...), reshaped to (n_envs, action_dim).
            reward, done: (n_envs,).
            infos: one for each environment; with `handle_timeout_termination`, ``TimeLimit.truncated`` is read.
        """
        step = self.pos
        if self._is_discrete:
            obs = obs.reshape((self.n_envs, *self.obs_shape))
            next_obs = next_obs.reshape((self.n_envs, *self.obs_shape))
        put(self.observations, step, obs)
        if self.optimize_memory_usage:
            put(self.observations, (step + 1) % self.buffer_size, next_obs)
        else:
            put(self.next_observations, step, next_obs)
        put(self.actions, step, action.reshape((self.n_envs, self.action_dim)))
        put(self.rewards, step, reward)
        put(self.dones, step, done)
        if self.handle_timeout_termination:
            self.timeouts[step] = np.array([info.get("TimeLimit.truncated", False) for info in infos])
        self.pos = step + 1
        if self.pos == self.buffer_size:
            self.full = True
            self.pos = 0

    def sample(self, batch_size: int, env: VecNormalize | None = None) -> ReplayBufferSamples:
        """Draws transitions with replacement, with NumPy's global generator.

        Args:
            batch_size: how many.
            env: normalizes observations and rewards, if given.

        Returns:
            tensors of `batch_size` rows on `device`.
        """
        if not self.optimize_memory_usage:
            steps = draw(0, self.buffer_size if self.full else self.pos, batch_size)
        elif self.full:  # the observation at `pos` is already the next one of the transition before it
            steps = (draw(1, self.buffer_size, batch_size) + self.pos) % self.buffer_size
        else:
            steps = draw(0, self.pos, batch_size)
        return self._get_samples(steps, env=env)

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> ReplayBufferSamples:
        if self.n_steps is not None:
            return self._get_n_step_samples(batch_inds, self.n_steps, env)
        lanes = draw(0, self.n_envs, len(batch_inds))
        if self.optimize_memory_usage:
            next_observations = take(self.observations, (batch_inds + 1) % self.buffer_size, lanes)
        else:
            next_observations = take(self.next_observations, batch_inds, lanes)
        # An episode that was cut off by its time limit has not ended.
        dones = take(self.dones, batch_inds, lanes) * (1 - take(self.timeouts, batch_inds, lanes))
        rewards = self._normalize_reward(take(self.rewards, batch_inds, lanes).reshape(-1, 1), env)
        return self._samples(batch_inds, lanes, env, next_observations, dones.reshape(-1, 1), rewards)

    def _get_n_step_samples(
        self, batch_inds: np.ndarray, n_steps: int, env: VecNormalize | None
    ) -> ReplayBufferSamples:
        """What SB3's NStepReplayBuffer returns; products, powers and sums are its own lines of NumPy, to the bit."""
        if n_steps < 1 or not can_walk(self.rewards, self.dones, self.timeouts, batch_inds):
            return buffers.NStepReplayBuffer._get_samples(self, batch_inds, env=env)
        lanes = draw(0, self.n_envs, len(batch_inds))
        rewards, within, n_within, dones, last = walk(
            self.rewards, self.dones, self.timeouts, batch_inds, lanes, n_steps, self.pos - 1
        )
        powers = self.gamma ** np.arange(n_steps, dtype=np.float32)
        returns = np.add.reduce(self._normalize_reward(rewards, env) * powers * within, axis=1, keepdims=True)
        next_observations = take(self.next_observations, last, lanes)
        return self._samples(
            batch_inds, lanes, env, next_observations, dones, returns, self.to_torch(self.gamma**n_within, False)
        )

    def _samples(
        self,
        steps: np.ndarray,
        lanes: np.ndarray,
        env: VecNormalize | None,
        next_observations: np.ndarray,
        dones: np.ndarray,
        rewards: np.ndarray,
        *discounts: torch.Tensor,
    ) -> ReplayBufferSamples:
        """The transitions in these places as tensors, observations normalized; what was copied is not copied again."""
        return buffers.ReplayBufferSamples(
            self.to_torch(self._normalize_obs(take(self.observations, steps, lanes), env), False),
            self.to_torch(take(self.actions, steps, lanes), False),
            self.to_torch(self._normalize_obs(next_observations, env), False),
            self.to_torch(dones, False),
            self.to_torch(rewards, False),
            *discounts,
        )
