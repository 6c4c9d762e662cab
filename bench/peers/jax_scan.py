"""JAX, the whole loop compiled, pendulum and memory included, as in PureJaxRL."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from nasdqn_fast.space import Architecture
from peers import _jax, _pendulum, _setting
from peers._setting import BATCH, CAPACITY, EPSILON, GAMMA, HORIZON, N_ACTIONS


class Pendulum(NamedTuple):
    """An episode under way.

    Args:
        theta, omega: rad, rad/s.
        length: steps so far.
    """

    theta: Array
    omega: Array
    length: Array


class Run(NamedTuple):
    """What a step goes on from."""

    learner: _jax.Learner
    pendulum: Pendulum
    key: Array


def observe(theta: Array, omega: Array) -> Array:
    return jnp.stack((jnp.cos(theta), jnp.sin(theta), omega))


def pendulum_step(theta: Array, omega: Array, action: Array) -> tuple[Array, Array, Array]:
    """As `_pendulum.step`, without branches, in float32."""
    torque = (action - 1) * _pendulum.MAX_TORQUE
    reward = jnp.cos(theta) - _pendulum.TORQUE_COST * torque**2
    omega += (_pendulum.GRAVITY * jnp.sin(theta) + torque) * _pendulum.DT
    omega = jnp.clip(omega, -_pendulum.MAX_OMEGA, _pendulum.MAX_OMEGA)
    theta += omega * _pendulum.DT
    theta = jnp.where(theta > jnp.pi, theta - 2 * jnp.pi, jnp.where(theta <= -jnp.pi, theta + 2 * jnp.pi, theta))
    return theta, omega, reward


def training_step(run: Run, target: _jax.Network, activation: str) -> Run:
    """Act, step, store, learn; all that is random is drawn in one call."""
    key, draw = jax.random.split(run.key)
    uniforms = jax.random.uniform(draw, (BATCH + 4,))
    slots = (uniforms[:BATCH] * CAPACITY).astype(jnp.int32)
    explore, which, u_theta, u_omega = uniforms[BATCH:]
    pendulum = run.pendulum
    observation = observe(pendulum.theta, pendulum.omega)
    greedy = jnp.argmax(_jax.forward(run.learner.online, activation, observation))
    action = jnp.where(explore < EPSILON, (which * N_ACTIONS).astype(greedy.dtype), greedy)
    theta, omega, reward = pendulum_step(pendulum.theta, pendulum.omega, action)
    length = pendulum.length + 1
    over = length == HORIZON
    discount = jnp.where(over, 0, GAMMA)
    row = _jax.row(observation, action, reward, discount, observe(theta, omega))
    learner = _jax.store_and_update(run.learner, target, activation, row, slots)
    theta_0, omega_0 = _pendulum.start(u_theta, u_omega)
    fresh = Pendulum(theta_0, omega_0, jnp.int32(0))
    pendulum = jax.tree.map(lambda new, old: jnp.where(over, new, old), fresh, Pendulum(theta, omega, length))
    return Run(learner, pendulum, key)


@partial(jax.jit, static_argnames="activation", donate_argnames="run", compiler_options=_jax.ONE_THREAD)
def train(run: Run, target: _jax.Network, steps: int, activation: str) -> Run:
    """That many steps. XLA makes the same loop of this as of a scan, but their number may vary without recompiling."""
    return jax.lax.fori_loop(0, steps, lambda _, run: training_step(run, target, activation), run)


class Training(_jax.JaxTraining):
    description = "JAX, the whole loop compiled as one, as in PureJaxRL"
    version = jax.__version__

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "sgd") -> None:
        super().__init__(architecture, seed, optimizer)
        theta, omega = _pendulum.start(*self._rng.random(2))
        pendulum = Pendulum(jnp.float32(theta), jnp.float32(omega), jnp.int32(0))
        self._run = Run(self._learner, pendulum, jax.random.key(int(self._rng.integers(2**31))))

    def run(self, steps: int) -> None:
        # Within the loop, a target that may change would be copied in every step.
        while steps > 0:
            n = min(steps, _setting.TARGET_EVERY - self._updates % _setting.TARGET_EVERY)
            self._run = train(self._run, self._target, n, self._architecture.activation)
            self._updates += n
            steps -= n
            if self._updates % _setting.TARGET_EVERY == 0:
                self._target = _jax.copy(self._run.learner.online)
        jax.block_until_ready(self._run)
