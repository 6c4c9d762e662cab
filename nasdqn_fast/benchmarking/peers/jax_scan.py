"""JAX, the whole loop compiled, pendulum and memory included, as in PureJaxRL."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nasdqn_fast.benchmarking.peers import _jax, _pendulum, _setting
from nasdqn_fast.space import Architecture


def version() -> str | None:
    return _setting.versions("jax", "jaxlib")


class Run(NamedTuple):
    """What a training run goes on from.

    Args:
        learner: networks and memory.
        theta, omega: rad, rad/s.
        length: steps of the episode.
    """

    learner: _jax.Learner
    theta: Array
    omega: Array
    length: Array


def observe(theta: Array, omega: Array) -> Array:
    return jnp.stack((jnp.cos(theta), jnp.sin(theta), omega))


def pendulum_step(theta: Array, omega: Array, action: Array) -> tuple[Array, Array, Array]:
    """As `_pendulum.step`, without branches, in float32."""
    torque = (action - 1) * _pendulum.MAX_TORQUE
    reward = jnp.cos(theta) - _pendulum.TORQUE_COST * torque**2
    omega += (_pendulum.GRAVITY * jnp.sin(theta) + torque) * _pendulum.DT
    omega = jnp.clip(omega, -_pendulum.MAX_OMEGA, _pendulum.MAX_OMEGA)
    theta += omega * _pendulum.DT
    theta -= 2 * jnp.pi * jnp.where(theta > jnp.pi, 1, jnp.where(theta <= -jnp.pi, -1, 0))
    return theta, omega, reward


def training_step(run: Run, activation: str) -> Run:
    """Act, step, store, learn."""
    learner = run.learner
    key, explore, which, restart = jax.random.split(learner.key, 4)
    observation = observe(run.theta, run.omega)
    greedy = jnp.argmax(_jax.forward(learner.online, activation, observation))
    uniform = jax.random.randint(which, (), 0, _setting.N_ACTIONS)
    action = jnp.where(jax.random.uniform(explore) < _setting.EPSILON, uniform, greedy)
    theta, omega, reward = pendulum_step(run.theta, run.omega, action)
    length = run.length + 1
    over = length == _setting.HORIZON
    discount = jnp.where(over, 0, _setting.GAMMA)
    transition = _setting.Transitions(observation, action, reward, discount, observe(theta, omega))
    learner = _jax.update(_jax.store(learner._replace(key=key), transition), activation)
    theta_0, omega_0 = _pendulum.start(*jax.random.uniform(restart, 2))
    return Run(
        learner, jnp.where(over, theta_0, theta), jnp.where(over, omega_0, omega), jnp.where(over, 0, length)
    )


@partial(jax.jit, static_argnames="activation", donate_argnames="run", compiler_options=_jax.ONE_THREAD)
def train(run: Run, steps: int, activation: str) -> Run:
    """That many steps. Unlike a scan's, their number may vary without a new compilation; the loop is the same."""
    return jax.lax.fori_loop(0, steps, lambda _, run: training_step(run, activation), run)


class Training(_jax.JaxTraining):
    description = "JAX, the whole loop compiled as one, as in PureJaxRL"

    def __init__(self, architecture: Architecture, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._architecture = architecture
        learner = _jax.new_learner(architecture, rng)
        theta, omega = (jnp.float32(value) for value in _pendulum.start(*rng.random(2)))
        self._run = Run(learner, theta, omega, jnp.array(0))

    def run(self, steps: int) -> None:
        self._run = jax.block_until_ready(train(self._run, steps, self._architecture.activation))
