"""Numba: the whole loop compiled, products by np.dot (which calls SciPy's OpenBLAS), all else in fused loops.

One compilation serves every architecture: layers are slices of one parameter vector, found by offsets.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numba
import numpy as np
import scipy  # noqa: F401, its OpenBLAS is what np.dot calls

from nasdqn_fast.space import ACTIVATIONS, Architecture
from peers import _pendulum, _setting
from peers._setting import BATCH, CAPACITY, N_ACTIONS, OBSERVATION_SIZE

EPSILON, HORIZON, TARGET_EVERY = _setting.EPSILON, _setting.HORIZON, _setting.TARGET_EVERY
GAMMA, CLIP = np.float32(_setting.GAMMA), np.float32(_setting.CLIP)
BETA_1, BETA_2 = np.float32(_setting.ADAM_BETA_1), np.float32(_setting.ADAM_BETA_2)
ADAM_EPSILON = np.float32(_setting.ADAM_EPSILON)
TINY = np.float32(1e-34)  # moments below become zero: processors multiply subnormal numbers slowly
LEARNING_RATE, SLOPE = np.float32(_setting.LEARNING_RATE), np.float32(_setting.LEAKY_SLOPE)
ZERO, ONE, HALF = np.float32(0), np.float32(1), np.float32(0.5)
RELU, TANH, LEAKY_RELU = (ACTIVATIONS.index(name) for name in ("relu", "tanh", "leaky_relu"))

# The Python error model checks every division, which keeps its loop scalar. Contraction lets LLVM use FMA.
compiled = numba.njit(error_model="numpy", fastmath={"contract"})

start, observe, step = compiled(_pendulum.start), compiled(_pendulum.observe), compiled(_pendulum.step)


class Net(NamedTuple):
    """A network's shape, and room for the activations and errors of a minibatch.

    Args:
        sizes: int64 (L + 2,), units of every layer.
        activation: RELU, TANH or LEAKY_RELU.
        offsets: int64 (L + 2,), where each layer's W starts in the parameter vector, and its end.
        activations, errors: float32 (n (sum of hidden sizes and actions),), layer after layer.
        gradient: float32 (P,).
    """

    sizes: np.ndarray
    activation: int
    offsets: np.ndarray
    activations: np.ndarray
    errors: np.ndarray
    gradient: np.ndarray


class State(NamedTuple):
    """What a training run goes on from.

    Args:
        memory: the replay memory's transitions.
        numbers: float64 (3,): theta (rad), omega (rad/s), return so far.
        counts: int64 (3,): steps of the episode, updates, next slot of the memory.
        parameters, target: float32 (P,).
        adam: the optimizer is Adam, else SGD.
        moments: float32 (2, P), Adam's.
    """

    memory: _setting.Transitions
    numbers: np.ndarray
    counts: np.ndarray
    parameters: np.ndarray
    target: np.ndarray
    adam: bool
    moments: np.ndarray


@compiled
def tanh(x):
    """Rational, of the form x P(x^2) / Q(x^2): LLVM vectorises it, which it cannot do with a call of libm."""
    x = min(max(x, np.float32(-9.02)), np.float32(9.02))
    t = x * x
    p = t * np.float32(1.331909930e-08) + np.float32(2.058350386e-05)
    p = p * t + np.float32(3.494036057e-03)
    p = p * t + np.float32(1.337971924e-01)
    p = p * t + np.float32(9.999999790e-01)
    q = t * np.float32(7.762031485e-07) + np.float32(3.283095200e-04)
    q = q * t + np.float32(2.587107902e-02)
    q = q * t + np.float32(4.671303449e-01)
    q = q * t + ONE
    return min(max(x * p / q, -ONE), ONE)


@compiled
def weights(vector, net, layer):
    """W (n_in, n_out) of a layer."""
    n_in, n_out = net.sizes[layer], net.sizes[layer + 1]
    return vector[net.offsets[layer] : net.offsets[layer] + n_in * n_out].reshape(n_in, n_out)


@compiled
def biases(vector, net, layer):
    """b (n_out,) of a layer."""
    return vector[net.offsets[layer + 1] - net.sizes[layer + 1] : net.offsets[layer + 1]]


@compiled
def of_layer(vector, net, layer, n):
    """The (n, units) part of `activations` or `errors` that belongs to a layer's output."""
    first = n * net.sizes[1 : layer + 1].sum()
    return vector[first : first + n * net.sizes[layer + 1]].reshape(n, net.sizes[layer + 1])


@compiled
def activate(z, b, activation):
    """z = sigma(z + b)."""
    for i in range(z.shape[0]):
        row = z[i]
        if activation == RELU:
            for j in range(row.size):
                row[j] = max(row[j] + b[j], ZERO)
        elif activation == TANH:
            for j in range(row.size):
                row[j] = tanh(row[j] + b[j])
        else:
            for j in range(row.size):
                value = row[j] + b[j]
                row[j] = max(value, SLOPE * value)


@compiled
def differentiate(error, h, activation):
    """error *= sigma'(z), from h = sigma(z)."""
    for i in range(h.shape[0]):
        error_row, row = error[i], h[i]
        if activation == RELU:
            for j in range(row.size):
                error_row[j] = error_row[j] if row[j] > ZERO else ZERO
        elif activation == TANH:
            for j in range(row.size):
                error_row[j] *= ONE - row[j] * row[j]
        else:
            for j in range(row.size):
                error_row[j] *= ONE if row[j] > ZERO else SLOPE


@compiled
def forward(parameters, net, observations, activations):
    """Q-values (n, 3), a view of `activations`."""
    n = observations.shape[0]
    h, last = observations, net.sizes.size - 2
    for layer in range(last):
        z = of_layer(activations, net, layer, n)
        np.dot(h, weights(parameters, net, layer), z)
        activate(z, biases(parameters, net, layer), net.activation)
        h = z
    q = of_layer(activations, net, last, n)
    np.dot(h, weights(parameters, net, last), q)
    b = biases(parameters, net, last)
    for i in range(n):
        for a in range(N_ACTIONS):
            q[i, a] += b[a]
    return q


@compiled
def greedy(parameters, net, observation, activations):
    """argmax_a Q(s, a) of one observation (3,)."""
    return forward(parameters, net, observation.reshape(1, -1), activations)[0].argmax()


@compiled
def loss_and_gradient(parameters, net, observations, actions, targets):
    """Mean Huber loss (delta 1); the gradient is left in `net.gradient`."""
    n, last = observations.shape[0], net.sizes.size - 2
    q = forward(parameters, net, observations, net.activations)
    error = of_layer(net.errors, net, last, n)
    error[:] = ZERO
    loss = ZERO
    for i in range(n):
        td_error = q[i, actions[i]] - targets[i]
        clipped = min(max(td_error, -ONE), ONE)
        loss += clipped * (td_error - HALF * clipped)
        error[i, actions[i]] = clipped / np.float32(n)
    for layer in range(last, -1, -1):
        h = observations if layer == 0 else of_layer(net.activations, net, layer - 1, n)
        np.dot(h.T, error, weights(net.gradient, net, layer))
        summed = biases(net.gradient, net, layer)
        summed[:] = ZERO
        for i in range(n):
            row = error[i]
            for j in range(row.size):
                summed[j] += row[j]
        if layer > 0:
            below = of_layer(net.errors, net, layer - 1, n)
            np.dot(error, weights(parameters, net, layer).T, below)
            differentiate(below, h, net.activation)
            error = below
    return loss / np.float32(n)


@compiled
def optimize(parameters, gradient, adam, moments, steps):
    """Step number `steps`, along the clipped gradient."""
    if not adam:
        for i in range(parameters.size):
            parameters[i] -= LEARNING_RATE * min(max(gradient[i], -CLIP), CLIP)
        return
    step = np.float32(_setting.ADAM_LEARNING_RATE / (1.0 - _setting.ADAM_BETA_1**steps))
    scale = np.float32(1.0 / (1.0 - _setting.ADAM_BETA_2**steps))
    first, second = moments[0], moments[1]
    for i in range(parameters.size):
        g = min(max(gradient[i], -CLIP), CLIP)
        m = BETA_1 * first[i] + (ONE - BETA_1) * g
        v = BETA_2 * second[i] + (ONE - BETA_2) * g * g
        m = m if abs(m) > TINY else ZERO
        v = v if v > TINY else ZERO
        first[i], second[i] = m, v
        parameters[i] -= step * m / (np.sqrt(v * scale) + ADAM_EPSILON)


@compiled
def update(state, net, batch, rng):
    """Double DQN on a minibatch: y = r + gamma Q(s', argmax_a Q(s', a; w); w-), then the optimizer's step."""
    memory, parameters, target = state.memory, state.parameters, state.target
    for i in range(BATCH):
        slot = rng.integers(0, CAPACITY)
        batch.observations[i] = memory.observations[slot]
        batch.next_observations[i] = memory.next_observations[slot]
        batch.actions[i] = memory.actions[slot]
        batch.rewards[i] = memory.rewards[slot]
        batch.discounts[i] = memory.discounts[slot]
    q_next = forward(parameters, net, batch.next_observations, net.activations)
    q_next_target = forward(target, net, batch.next_observations, net.errors)
    for i in range(BATCH):
        batch.rewards[i] += batch.discounts[i] * q_next_target[i, q_next[i].argmax()]
    loss_and_gradient(parameters, net, batch.observations, batch.actions, batch.rewards)
    state.counts[1] += 1
    optimize(parameters, net.gradient, state.adam, state.moments, state.counts[1])
    if state.counts[1] % TARGET_EVERY == 0:
        target[:] = parameters


@compiled
def train(state, net, batch, observation, returns, rng, steps):
    """Writes the returns of the episodes that end to `returns`, and gives their number."""
    memory, numbers, counts = state.memory, state.numbers, state.counts
    ended = 0
    for _ in range(steps):
        theta, omega = numbers[0], numbers[1]
        observation[0], observation[1], observation[2] = observe(theta, omega)
        if rng.random() < EPSILON:
            action = rng.integers(0, N_ACTIONS)
        else:
            action = greedy(state.parameters, net, observation, net.activations)
        theta, omega, reward = step(theta, omega, action)
        slot = counts[2]
        memory.observations[slot] = observation
        memory.actions[slot] = action
        memory.rewards[slot] = reward
        next_observation = memory.next_observations[slot]
        next_observation[0], next_observation[1], next_observation[2] = observe(theta, omega)
        numbers[0], numbers[1] = theta, omega
        numbers[2] += reward
        counts[0] += 1
        counts[2] = (slot + 1) % CAPACITY
        memory.discounts[slot] = GAMMA if counts[0] < HORIZON else ZERO
        if counts[0] == HORIZON:
            returns[ended] = numbers[2]
            ended += 1
            numbers[0], numbers[1] = start(rng.random(), rng.random())
            numbers[2] = 0.0
            counts[0] = 0
        update(state, net, batch, rng)
    return ended


def _net(architecture: Architecture, n: int) -> Net:
    sizes = architecture.layer_sizes(OBSERVATION_SIZE, N_ACTIONS)
    lengths = [(n_in + 1) * n_out for n_in, n_out in itertools.pairwise(sizes)]
    offsets = np.cumsum([0, *lengths])
    activations, errors = np.zeros((2, n * sum(sizes[1:])), np.float32)
    gradient = np.zeros(offsets[-1], np.float32)
    return Net(np.array(sizes), ACTIVATIONS.index(architecture.activation), offsets, activations, errors, gradient)


class Training(_setting.CheckedTraining):
    description = "the whole loop compiled by Numba, products by OpenBLAS"
    version = numba.__version__

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "sgd") -> None:
        self.check(architecture, optimizer)
        self._rng = np.random.default_rng(seed)
        self.returns: list[float] = []
        self._architecture = architecture
        self._net = _net(architecture, BATCH)
        parameters = _setting.initial_parameters(architecture, self._rng)
        memory = _setting.random_transitions(self._rng)
        numbers = np.array([*_pendulum.start(*self._rng.random(2)), 0.0])
        self._adam = optimizer == "adam"
        moments = np.zeros((2, len(parameters)), np.float32)
        counts = np.zeros(3, np.int64)
        self._state = State(memory, numbers, counts, parameters, parameters.copy(), self._adam, moments)
        self._batch = _setting.Transitions(*(array[:BATCH].copy() for array in memory))
        self._observation = np.empty(OBSERVATION_SIZE, np.float32)

    def run(self, steps: int) -> None:
        returns = np.empty(steps // HORIZON + 1)
        ended = train(self._state, self._net, self._batch, self._observation, returns, self._rng, steps)
        self.returns += returns[:ended].tolist()

    def loss_and_gradient(
        self, parameters: np.ndarray, observations: np.ndarray, actions: np.ndarray, targets: np.ndarray
    ) -> tuple[float, np.ndarray]:
        net = _net(self._architecture, len(observations))
        return float(loss_and_gradient(parameters.copy(), net, observations, actions, targets)), net.gradient

    def take_steps(self, parameters: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        parameters, moments = parameters.copy(), np.zeros((2, len(parameters)), np.float32)
        for steps, gradient in enumerate(gradients, start=1):
            optimize(parameters, gradient, self._adam, moments, steps)
        return parameters
