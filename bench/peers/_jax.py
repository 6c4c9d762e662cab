"""What both JAX peers share: the network, the memory and the update."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from nasdqn_fast.space import Architecture
from peers import _setting
from peers._setting import CAPACITY, N_ACTIONS

Network = list[tuple[Array, Array]]

ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "tanh": jnp.tanh,
    "leaky_relu": lambda z: jax.nn.leaky_relu(z, _setting.LEAKY_SLOPE),
}
# XLA divides larger products among threads unless told not to.
ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}


class Learner(NamedTuple):
    """What an update goes on from, but for the target network, which changes between calls only.

    Args:
        online: the network that learns.
        moments: Adam's; None with SGD.
        steps: int32, of the optimizer.
        memory: float32 (CAPACITY, 9), a transition a row, as `row` packs it: one gather fetches a minibatch.
        next_slot: int32, the row that is written next.
    """

    online: Network
    moments: tuple[Network, Network] | None
    steps: Array
    memory: Array
    next_slot: Array


def new_learner(architecture: Architecture, rng: np.random.Generator, optimizer: str) -> Learner:
    """The paper's initial weights, and the memory filled."""
    online = jax.tree.map(jnp.array, _setting.layers(_setting.initial_parameters(architecture, rng), architecture))
    filling = jax.tree.map(jnp.array, _setting.random_transitions(rng))
    memory = jax.vmap(row)(*filling)
    return Learner(online, no_moments(online, optimizer), jnp.int32(0), memory, jnp.int32(0))


def no_moments(network: Network, optimizer: str) -> tuple[Network, Network] | None:
    """Adam's moments before the first step; None with SGD."""
    if optimizer == "sgd":
        return None
    return jax.tree.map(jnp.zeros_like, network), jax.tree.map(jnp.zeros_like, network)


def row(s: Array, a: Array, r: Array, discount: Array, s_next: Array) -> Array:
    """Packs a transition: s (3), s' (3), a, r, discount."""
    return jnp.concatenate((s, s_next, jnp.stack((a, r, discount)).astype(jnp.float32)))


def forward(network: Network, activation: str, observations: ArrayLike) -> Array:
    """Q-values (..., 3)."""
    sigma, h = ACTIVATIONS[activation], jnp.asarray(observations)
    *hidden, (w, b) = network
    for w_hidden, b_hidden in hidden:
        h = sigma(h @ w_hidden + b_hidden)
    return h @ w + b


def chosen(q: Array, actions: Array) -> Array:
    """q[i, actions[i]], (n,); a masked sum, whose gradient is a product where that of a gather is a scatter."""
    return jnp.sum(q * (actions[:, None] == jnp.arange(N_ACTIONS)), axis=1)


def loss(network: Network, activation: str, observations: Array, actions: Array, targets: Array) -> Array:
    """Mean Huber loss."""
    size = jnp.abs(chosen(forward(network, activation, observations), actions) - targets)
    quadratic = jnp.minimum(size, 1)
    return jnp.mean(quadratic * (size - quadratic / 2))


def optimize(
    network: Network, gradient: Network, moments: tuple[Network, Network] | None, steps: Array
) -> tuple[Network, tuple[Network, Network] | None]:
    """Network and moments after step number `steps`, along the clipped gradient: Adam's if there are moments."""
    gradient = jax.tree.map(lambda g: jnp.clip(g, -_setting.CLIP, _setting.CLIP), gradient)
    if moments is None:
        return jax.tree.map(lambda w, g: w - _setting.LEARNING_RATE * g, network, gradient), None
    beta_1, beta_2 = _setting.ADAM_BETA_1, _setting.ADAM_BETA_2
    m = jax.tree.map(lambda m, g: beta_1 * m + (1 - beta_1) * g, moments[0], gradient)
    v = jax.tree.map(lambda v, g: beta_2 * v + (1 - beta_2) * g * g, moments[1], gradient)
    step = _setting.ADAM_LEARNING_RATE / (1 - beta_1 ** steps.astype(jnp.float32))
    scale = 1 / (1 - beta_2 ** steps.astype(jnp.float32))
    moved = jax.tree.map(lambda w, m, v: w - step * m / (jnp.sqrt(v * scale) + _setting.ADAM_EPSILON), network, m, v)
    return moved, (m, v)


def store_and_update(learner: Learner, target: Network, activation: str, new_row: Array, slots: Array) -> Learner:
    """The transition over the oldest, then Double DQN: y = r + gamma Q(s', argmax_a Q(s', a; w); w-), the optimizer.

    Args:
        learner, target: networks and memory.
        activation: of the networks.
        new_row: float32 (9,), see `row`.
        slots: int32 (BATCH,), the minibatch's rows.
    """
    memory = jax.lax.dynamic_update_index_in_dim(learner.memory, new_row, learner.next_slot, 0)
    batch = memory[slots]
    observations, next_observations, (actions, rewards, discounts) = batch[:, :3], batch[:, 3:6], batch[:, 6:].T
    best = jnp.argmax(forward(learner.online, activation, next_observations), axis=1)
    targets = rewards + discounts * chosen(forward(target, activation, next_observations), best)
    gradient = jax.grad(loss)(learner.online, activation, observations, actions, targets)
    steps = learner.steps + 1
    online, moments = optimize(learner.online, gradient, learner.moments, steps)
    return Learner(online, moments, steps, memory, (learner.next_slot + 1) % CAPACITY)


def copy(network: Network) -> Network:
    """Arrays of its own: those of a learner are donated to the next call."""
    return jax.tree.map(jnp.copy, network)


class JaxTraining(_setting.CheckedTraining):
    """What both start from, and the check."""

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "sgd") -> None:
        self.check(architecture, optimizer)
        self._rng = np.random.default_rng(seed)
        self._architecture, self._optimizer = architecture, optimizer
        self._learner = new_learner(architecture, self._rng, optimizer)
        self._target = copy(self._learner.online)
        self._updates = 0

    def loss_and_gradient(
        self, parameters: np.ndarray, observations: np.ndarray, actions: np.ndarray, targets: np.ndarray
    ) -> tuple[float, np.ndarray]:
        network = jax.tree.map(jnp.array, _setting.layers(parameters, self._architecture))
        value, gradient = jax.value_and_grad(loss)(
            network, self._architecture.activation, observations, actions, targets
        )
        return float(value), _setting.joined(gradient)

    def take_steps(self, parameters: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        network = jax.tree.map(jnp.array, _setting.layers(parameters, self._architecture))
        moments = no_moments(network, self._optimizer)
        for steps, vector in enumerate(gradients, start=1):
            gradient = jax.tree.map(jnp.array, _setting.layers(vector, self._architecture))
            network, moments = optimize(network, gradient, moments, jnp.int32(steps))
        return _setting.joined(network)
