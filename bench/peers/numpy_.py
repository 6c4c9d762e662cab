"""NumPy from scratch: every array made once, every call with `out`, as few and as large calls as the step allows."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence

import numpy as np

from nasdqn_fast.space import Architecture
from peers import _pendulum, _setting
from peers._setting import BATCH, CAPACITY, N_ACTIONS, OBSERVATION_SIZE

DRAWN_AT_ONCE = 256  # minibatches: a call of the generator costs as much as drawing one

_SLOPE = np.float32(_setting.LEAKY_SLOPE)
_HUBER = np.float32(1)


# h = sigma(z) in place, of arrays whose last column is 1 and must stay so. The scratch comes as zeros and, being of z's
# shape, keeps np.maximum on its vectorised path: with a scalar it takes five times as long.
def _relu(z: np.ndarray, scratch: np.ndarray) -> None:
    np.maximum(z, scratch, out=z)


def _leaky_relu(z: np.ndarray, scratch: np.ndarray) -> None:
    np.multiply(z, _SLOPE, out=scratch)
    np.maximum(z, scratch, out=z)


def _tanh(z: np.ndarray, scratch: np.ndarray) -> None:
    np.tanh(z, out=z)
    z[..., -1] = 1


# error *= sigma'(z), from h = sigma(z).
def _relu_backward(error: np.ndarray, h: np.ndarray, mask: np.ndarray, scratch: np.ndarray) -> None:
    np.greater(h, 0, out=mask)
    np.multiply(error, mask, out=error)


def _leaky_relu_backward(error: np.ndarray, h: np.ndarray, mask: np.ndarray, scratch: np.ndarray) -> None:
    np.greater(h, 0, out=mask)
    np.multiply(mask, 1 - _SLOPE, out=scratch)
    np.add(scratch, _SLOPE, out=scratch)
    np.multiply(error, scratch, out=error)


def _tanh_backward(error: np.ndarray, h: np.ndarray, mask: np.ndarray, scratch: np.ndarray) -> None:
    np.multiply(h, h, out=scratch)
    np.subtract(1, scratch, out=scratch)
    np.multiply(error, scratch, out=error)


_ACTIVATIONS: dict[str, tuple[Callable[..., None], Callable[..., None]]] = {
    "relu": (_relu, _relu_backward),
    "leaky_relu": (_leaky_relu, _leaky_relu_backward),
    "tanh": (_tanh, _tanh_backward),
}


def _matrices(vector: np.ndarray, architecture: Architecture) -> list[np.ndarray]:
    """Views [W; b], (n_in + 1, n_out), of a parameter vector: one product with them adds the biases as well."""
    sizes = architecture.layer_sizes(OBSERVATION_SIZE, N_ACTIONS)
    ends = itertools.accumulate((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(sizes))
    blocks = np.split(vector, list(ends)[:-1])
    return [block.reshape(-1, n_out) for block, n_out in zip(blocks, sizes[1:], strict=True)]


class _Forward:
    """A forward pass bound to its parameters; each h but Q has a last column of ones, which meets the biases.

    Args:
        matrices: [W; b] of each layer.
        activation: of the hidden layers.
        inputs: (n, 4), or (4,) for one observation: with vectors, np.dot does the same with less ado.
    """

    def __init__(self, matrices: Sequence[np.ndarray], activation: str, inputs: np.ndarray) -> None:
        shape = inputs.shape[:-1]
        *self._hidden, self._head = matrices
        self.layers = [inputs, *(np.ones((*shape, matrix.shape[1] + 1), np.float32) for matrix in self._hidden)]
        self.q = np.empty((*shape, self._head.shape[1]), np.float32)
        self._products = [z[..., :-1] for z in self.layers[1:]]
        self._scratch = [np.zeros_like(z) for z in self.layers[1:]]
        self._product: Callable[..., np.ndarray] = np.matmul if shape else np.dot
        self._activate, _ = _ACTIVATIONS[activation]

    def __call__(self) -> np.ndarray:
        """Q-values (n, 3) of the inputs."""
        h = self.layers[0]
        for matrix, product, z, scratch in zip(
            self._hidden, self._products, self.layers[1:], self._scratch, strict=True
        ):
            self._product(h, matrix, out=product)
            self._activate(z, scratch)
            h = z
        return self._product(h, self._head, out=self.q)


class _Backward:
    """The gradient of the mean Huber loss over the first n rows of a forward pass."""

    def __init__(self, architecture: Architecture, matrices: Sequence[np.ndarray], forward: _Forward, n: int) -> None:
        self._q = forward.q
        self._layers = [h[:n] for h in forward.layers]
        self._matrices = matrices
        self.gradient = np.empty(sum(matrix.size for matrix in matrices), np.float32)
        self._gradients = _matrices(self.gradient, architecture)
        self._td_error = np.empty(n, np.float32)
        self._first_of_row = np.arange(n) * N_ACTIONS
        self._chosen = np.empty(n, np.intp)  # flat index of Q(s_i, a_i)
        # What a layer passes down to h; the last column, that of the ones, is of no use.
        self._passed = [np.empty_like(h) for h in self._layers]
        self._errors = [*(passed[:, :-1] for passed in self._passed[1:]), np.empty((n, N_ACTIONS), np.float32)]
        self._masks = [np.empty(h.shape, bool) for h in self._layers]
        self._scratch = [np.empty_like(h) for h in self._layers]
        _, self._differentiate = _ACTIVATIONS[architecture.activation]

    def td_error(self, actions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Q(s_i, a_i) - y_i, (n,)."""
        np.add(self._first_of_row, actions, out=self._chosen)
        self._q.take(self._chosen, out=self._td_error, mode="clip")
        return np.subtract(self._td_error, targets, out=self._td_error)

    def __call__(self) -> np.ndarray:
        """The gradient (P,) at the `td_error` of last."""
        head = self._errors[-1]
        np.maximum(self._td_error, -_HUBER, out=self._td_error)
        np.minimum(self._td_error, _HUBER, out=self._td_error)
        np.divide(self._td_error, len(head), out=self._td_error)
        head.fill(0)
        head.reshape(-1)[self._chosen] = self._td_error
        for layer in reversed(range(len(self._matrices))):
            h, error = self._layers[layer], self._errors[layer]
            np.matmul(h.T, error, out=self._gradients[layer])
            if layer > 0:  # the observations need no error
                passed = self._passed[layer]
                np.matmul(error, self._matrices[layer].T, out=passed)
                self._differentiate(passed, h, self._masks[layer], self._scratch[layer])
        return self.gradient


class _Memory:
    """The replay memory and the minibatch drawn from it."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        filling = _setting.random_transitions(rng)
        # s above s', and with the column of ones: one call fetches the inputs of all three forward passes.
        self._observations = np.ones((2 * CAPACITY, OBSERVATION_SIZE + 1), np.float32)
        self._observations[:CAPACITY, :-1] = filling.observations
        self._observations[CAPACITY:, :-1] = filling.next_observations
        self._actions, self._rewards, self._discounts = filling.actions, filling.rewards, filling.discounts
        self._next = 0
        self._slots = np.empty((DRAWN_AT_ONCE, 2 * BATCH), np.intp)
        self._drawn = DRAWN_AT_ONCE
        self.inputs = np.empty((2 * BATCH, OBSERVATION_SIZE + 1), np.float32)
        self.actions = np.empty(BATCH, np.int64)
        self.rewards, self.discounts = np.empty(BATCH, np.float32), np.empty(BATCH, np.float32)

    def store(
        self, observation: np.ndarray, action: int, reward: float, discount: float, next_observation: np.ndarray
    ) -> None:
        """One transition over the oldest; observations with their 1."""
        i = self._next
        self._observations[i] = observation
        self._observations[CAPACITY + i] = next_observation
        self._actions[i], self._rewards[i], self._discounts[i] = action, reward, discount
        self._next = (i + 1) % CAPACITY

    def sample(self) -> None:
        """Fills `inputs` (s above s'), `actions`, `rewards` and `discounts`."""
        if self._drawn == DRAWN_AT_ONCE:
            self._slots[:, :BATCH] = self._rng.integers(0, CAPACITY, (DRAWN_AT_ONCE, BATCH))
            np.add(self._slots[:, :BATCH], CAPACITY, out=self._slots[:, BATCH:])
            self._drawn = 0
        both = self._slots[self._drawn]
        self._drawn += 1
        slots = both[:BATCH]
        self._observations.take(both, axis=0, out=self.inputs, mode="clip")
        self._actions.take(slots, out=self.actions, mode="clip")
        self._rewards.take(slots, out=self.rewards, mode="clip")
        self._discounts.take(slots, out=self.discounts, mode="clip")


class _Sgd:
    """Steps along clipped gradients, which they overwrite.

    Args:
        parameters: (P,), changed in place.
    """

    def __init__(self, parameters: np.ndarray) -> None:
        self._parameters = parameters
        clip = np.float32(_setting.CLIP)  # arrays: np.minimum with a scalar takes five times as long
        self._lower, self._upper = np.full_like(parameters, -clip), np.full_like(parameters, clip)

    def step(self, gradient: np.ndarray) -> None:
        self._clip(gradient)
        np.multiply(gradient, np.float32(_setting.LEARNING_RATE), out=gradient)
        np.subtract(self._parameters, gradient, out=self._parameters)

    def _clip(self, gradient: np.ndarray) -> None:
        np.maximum(gradient, self._lower, out=gradient)
        np.minimum(gradient, self._upper, out=gradient)


class _Adam(_Sgd):
    """The same by Adam."""

    def __init__(self, parameters: np.ndarray) -> None:
        super().__init__(parameters)
        self._m, self._v = np.zeros_like(parameters), np.zeros_like(parameters)
        self._scratch = np.empty_like(parameters)
        self._steps = 0

    def step(self, gradient: np.ndarray) -> None:
        self._clip(gradient)
        self._steps += 1
        beta_1, beta_2, scratch = _setting.ADAM_BETA_1, _setting.ADAM_BETA_2, self._scratch
        np.multiply(self._m, np.float32(beta_1), out=self._m)
        np.multiply(gradient, np.float32(1 - beta_1), out=scratch)
        np.add(self._m, scratch, out=self._m)
        np.multiply(self._v, np.float32(beta_2), out=self._v)
        np.multiply(gradient, gradient, out=gradient)
        np.multiply(gradient, np.float32(1 - beta_2), out=gradient)
        np.add(self._v, gradient, out=self._v)
        np.multiply(self._v, np.float32(1 / (1 - beta_2**self._steps)), out=scratch)
        np.sqrt(scratch, out=scratch)
        np.add(scratch, np.float32(_setting.ADAM_EPSILON), out=scratch)
        step = _setting.ADAM_LEARNING_RATE / (1 - beta_1**self._steps)
        np.multiply(self._m, np.float32(step), out=gradient)
        np.divide(gradient, scratch, out=gradient)
        np.subtract(self._parameters, gradient, out=self._parameters)


_OPTIMIZERS = {"sgd": _Sgd, "adam": _Adam}


class Training(_setting.CheckedTraining):
    description = "NumPy from scratch, all arrays made once, s and s' in one forward pass"
    version = np.__version__

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "sgd") -> None:
        self.check(architecture, optimizer)
        rng = np.random.default_rng(seed)
        self.returns: list[float] = []
        self._architecture = architecture
        self._random = random.Random(int(rng.integers(2**63)))  # one number takes a tenth of a Generator's time
        self._parameters = _setting.initial_parameters(architecture, rng)
        self._target_parameters = self._parameters.copy()
        self._memory = _Memory(rng)

        matrices = _matrices(self._parameters, architecture)
        target_matrices = _matrices(self._target_parameters, architecture)
        self._observation = np.ones(OBSERVATION_SIZE + 1, np.float32)
        self._next_observation = self._observation.copy()
        self._act = _Forward(matrices, architecture.activation, self._observation)
        self._online = _Forward(matrices, architecture.activation, self._memory.inputs)
        self._target = _Forward(target_matrices, architecture.activation, self._memory.inputs[BATCH:])
        self._backward = _Backward(architecture, matrices, self._online, BATCH)
        self._best = np.empty(BATCH, np.intp)
        self._first_of_row = np.arange(BATCH) * N_ACTIONS
        self._targets = np.empty(BATCH, np.float32)
        self._make_optimizer = _OPTIMIZERS[optimizer]
        self._optimizer = self._make_optimizer(self._parameters)
        self._updates = 0
        self._start_episode()

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self._step()
            self._update()

    def loss_and_gradient(
        self, parameters: np.ndarray, observations: np.ndarray, actions: np.ndarray, targets: np.ndarray
    ) -> tuple[float, np.ndarray]:
        n = len(observations)
        matrices = _matrices(parameters, self._architecture)
        inputs = np.column_stack((observations, np.ones(n, np.float32)))
        forward = _Forward(matrices, self._architecture.activation, inputs)
        backward = _Backward(self._architecture, matrices, forward, n)
        forward()
        size = np.abs(backward.td_error(actions, targets))
        quadratic = np.minimum(size, 1)
        return float(np.mean(quadratic * (size - quadratic / 2))), backward()

    def take_steps(self, parameters: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        parameters = parameters.copy()
        optimizer = self._make_optimizer(parameters)
        for gradient in gradients.copy():
            optimizer.step(gradient)
        return parameters

    def _start_episode(self) -> None:
        self._theta, self._omega = _pendulum.start(self._random.random(), self._random.random())
        self._observation[:-1] = _pendulum.observe(self._theta, self._omega)
        self._length, self._return = 0, 0.0

    def _step(self) -> None:
        """Act, step the pendulum, store."""
        if self._random.random() < _setting.EPSILON:
            action = self._random.randrange(N_ACTIONS)
        else:
            action = int(self._act().argmax())
        self._theta, self._omega, reward = _pendulum.step(self._theta, self._omega, action)
        self._next_observation[:-1] = _pendulum.observe(self._theta, self._omega)
        self._length += 1
        self._return += reward
        over = self._length == _setting.HORIZON
        discount = 0.0 if over else _setting.GAMMA
        self._memory.store(self._observation, action, reward, discount, self._next_observation)
        if over:
            self.returns.append(self._return)
            self._start_episode()
        else:
            self._observation[:] = self._next_observation

    def _update(self) -> None:
        """Double DQN: y = r + gamma Q(s', argmax_a Q(s', a; w); w-), then the optimizer's step."""
        memory = self._memory
        memory.sample()
        q = self._online()
        q[BATCH:].argmax(axis=1, out=self._best)
        np.add(self._best, self._first_of_row, out=self._best)
        self._target().take(self._best, out=self._targets, mode="clip")
        np.multiply(self._targets, memory.discounts, out=self._targets)
        np.add(self._targets, memory.rewards, out=self._targets)

        self._backward.td_error(memory.actions, self._targets)
        self._optimizer.step(self._backward())
        self._updates += 1
        if self._updates % _setting.TARGET_EVERY == 0:
            self._target_parameters[:] = self._parameters
