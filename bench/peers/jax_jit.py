"""JAX, a Python loop around one jitted call a step: store, update and the next greedy action."""

from __future__ import annotations

import random
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nasdqn_fast.space import Architecture
from peers import _jax, _pendulum, _setting
from peers._setting import BATCH, CAPACITY, N_ACTIONS


@partial(jax.jit, static_argnames="activation", donate_argnames="learner", compiler_options=_jax.ONE_THREAD)
def learn_and_act(
    learner: _jax.Learner, target: _jax.Network, slots: Array, seen: Array, activation: str
) -> tuple[_jax.Learner, Array]:
    """Stores and learns, then the greedy action of the updated network.

    Args:
        learner, target: networks and memory.
        slots: int32 (BATCH,), the minibatch.
        seen: float32 (12,), a transition's row and the observation to act on: one array to hand over instead of six.
        activation: of the networks.
    """
    learner = _jax.store_and_update(learner, target, activation, seen[:9], slots)
    return learner, jnp.argmax(_jax.forward(learner.online, activation, seen[9:]))


class Training(_jax.JaxTraining):
    description = "JAX, update and action in one jitted call, the loop in Python"
    version = jax.__version__

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "sgd") -> None:
        super().__init__(architecture, seed, optimizer)
        self.returns: list[float] = []
        self._random = random.Random(int(self._rng.integers(2**63)))
        self._start_episode()
        self._greedy = int(jnp.argmax(_jax.forward(self._learner.online, architecture.activation, self._observation)))

    def run(self, steps: int) -> None:
        activation = self._architecture.activation
        for _ in range(steps):
            seen = self._step()
            slots = self._rng.integers(0, CAPACITY, BATCH, np.int32)
            self._learner, greedy = learn_and_act(self._learner, self._target, slots, seen, activation)
            self._greedy = int(greedy)
            self._updates += 1
            if self._updates % _setting.TARGET_EVERY == 0:
                self._target = _jax.copy(self._learner.online)

    def _start_episode(self) -> None:
        self._theta, self._omega = _pendulum.start(self._random.random(), self._random.random())
        self._observation = np.array(_pendulum.observe(self._theta, self._omega), np.float32)
        self._length, self._return = 0, 0.0

    def _step(self) -> np.ndarray:
        """Acts and steps the pendulum: what `learn_and_act` is to see, in a new array, as JAX may keep the old one."""
        explores = self._random.random() < _setting.EPSILON
        action = self._random.randrange(N_ACTIONS) if explores else self._greedy
        seen = np.empty(12, np.float32)
        seen[:3] = self._observation
        self._theta, self._omega, reward = _pendulum.step(self._theta, self._omega, action)
        seen[3:6] = self._observation = np.array(_pendulum.observe(self._theta, self._omega), np.float32)
        self._length += 1
        self._return += reward
        over = self._length == _setting.HORIZON
        seen[6:9] = action, reward, 0 if over else _setting.GAMMA
        if over:
            self.returns.append(self._return)
            self._start_episode()
        seen[9:] = self._observation
        return seen
