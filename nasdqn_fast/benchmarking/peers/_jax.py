"""What both JAX peers share: the network, the memory and the update."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nasdqn_fast.benchmarking.peers import _setting
from nasdqn_fast.benchmarking.peers._setting import BATCH, CAPACITY, N_ACTIONS, OBSERVATION_SIZE
from nasdqn_fast.space import Architecture

Network = list[tuple[Array, Array]]

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "leaky_relu": lambda z: jax.nn.leaky_relu(z, _setting.LEAKY_SLOPE),
}
# XLA divides larger products among threads unless told not to.
ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}


class Learner(NamedTuple):
    """What an update goes on from.

    Args:
        online, target: the networks.
        updates: how many there have been.
        memory: the replay memory's transitions; `next_slot` is written next.
        key: of the draws to come.
    """

    online: Network
    target: Network
    updates: Array
    memory: _setting.Transitions
    next_slot: Array
    key: Array


def new_learner(architecture: Architecture, rng: np.random.Generator) -> Learner:
    """The paper's initial weights, and the memory filled."""
    online = jax.tree.map(jnp.array, _setting.layers(_setting.initial_parameters(architecture, rng), architecture))
    memory = jax.tree.map(jnp.array, _setting.random_transitions(rng))
    # The generator of the CPU's own counter-based hash: Threefry, the default, takes longer for the same 64 draws.
    key = jax.random.key(int(rng.integers(2**31)), impl="unsafe_rbg")
    return Learner(online, jax.tree.map(jnp.copy, online), jnp.array(0), memory, jnp.array(0), key)


def forward(network: Network, activation: str, observations: Array) -> Array:
    """Q-values (..., 3)."""
    sigma, h = ACTIVATIONS[activation], observations
    *hidden, (w, b) = network
    for w_hidden, b_hidden in hidden:
        h = sigma(h @ w_hidden + b_hidden)
    return h @ w + b


def chosen(q: Array, actions: Array) -> Array:
    """q[i, actions[i]], (n,); a sum over three products, which vectorises where a gather does not."""
    return jnp.sum(q * jax.nn.one_hot(actions, N_ACTIONS, dtype=q.dtype), axis=1)


def loss(network: Network, activation: str, observations: Array, actions: Array, targets: Array) -> Array:
    """Mean Huber loss."""
    size = jnp.abs(chosen(forward(network, activation, observations), actions) - targets)
    quadratic = jnp.minimum(size, 1)
    return jnp.mean(quadratic * (size - quadratic / 2))


def store(learner: Learner, transition: _setting.Transitions) -> Learner:
    """One transition over the oldest."""
    slot = learner.next_slot
    memory = jax.tree.map(lambda column, value: column.at[slot].set(value), learner.memory, transition)
    return learner._replace(memory=memory, next_slot=(slot + 1) % CAPACITY)


def update(learner: Learner, activation: str) -> Learner:
    """Double DQN: y = r + gamma Q(s', argmax_a Q(s', a; w); w-), then clipped SGD."""
    key, draw = jax.random.split(learner.key)
    slots = jax.random.randint(draw, (BATCH,), 0, CAPACITY)
    batch = jax.tree.map(lambda column: column[slots], learner.memory)
    best = jnp.argmax(forward(learner.online, activation, batch.next_observations), axis=1)
    q_next = chosen(forward(learner.target, activation, batch.next_observations), best)
    targets = batch.rewards + batch.discounts * q_next
    gradient = jax.grad(loss)(learner.online, activation, batch.observations, batch.actions, targets)
    online = jax.tree.map(
        lambda w, g: w - _setting.LEARNING_RATE * jnp.clip(g, -_setting.CLIP, _setting.CLIP), learner.online, gradient
    )
    updates = learner.updates + 1
    target = jax.lax.cond(
        updates % _setting.TARGET_EVERY == 0, lambda: online, lambda: learner.target
    )
    return learner._replace(online=online, target=target, updates=updates, key=key)


class JaxTraining(_setting.PeerTraining):
    """The check, which both share."""

    _architecture: Architecture

    def loss_and_gradient(
        self, parameters: np.ndarray, observations: np.ndarray, actions: np.ndarray, targets: np.ndarray
    ) -> tuple[float, np.ndarray]:
        network = jax.tree.map(jnp.array, _setting.layers(parameters, self._architecture))
        value, gradient = jax.value_and_grad(loss)(
            network, self._architecture.activation, observations, actions, targets
        )
        return float(value), _setting.joined(gradient)
