"""What both PyTorch peers share: the network, the memory and the loop around the update."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nasdqn_fast.space import Architecture
from peers import _pendulum, _setting
from peers._setting import BATCH, CAPACITY, N_ACTIONS, OBSERVATION_SIZE

Layers = Sequence[tuple[Tensor, Tensor]]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "tanh": torch.tanh,
    "leaky_relu": lambda z: functional.leaky_relu(z, _setting.LEAKY_SLOPE),
}


def layers(vector: Tensor, architecture: Architecture) -> list[tuple[Tensor, Tensor]]:
    """Views of a parameter vector, W (n_in, n_out) and b (n_out,): a write to the vector is a write to all layers."""
    numpy_layers = _setting.layers(vector.numpy(), architecture)
    return [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in numpy_layers]


def separate(network: Layers) -> list[tuple[Tensor, Tensor]]:
    """A copy whose tensors have memory of their own each, and no gradient."""
    return [(w.detach().clone(), b.detach().clone()) for w, b in network]


def forward(network: Layers, activation: str, observations: Tensor) -> Tensor:
    """Q-values (n, 3)."""
    sigma, h = ACTIVATIONS[activation], observations
    *hidden, (w, b) = network
    for w_hidden, b_hidden in hidden:
        h = sigma(torch.addmm(b_hidden, h, w_hidden))
    return torch.addmm(b, h, w)


def loss(network: Layers, activation: str, observations: Tensor, actions: Tensor, targets: Tensor) -> Tensor:
    """Mean Huber loss; actions (n, 1), targets (n, 1)."""
    q = forward(network, activation, observations)
    return functional.smooth_l1_loss(q.gather(1, actions), targets)


def double_dqn_targets(
    online: Layers, target: Layers, activation: str, rewards: Tensor, discounts: Tensor, next_observations: Tensor
) -> Tensor:
    """r + gamma Q(s', argmax_a Q(s', a; w); w-), (n, 1)."""
    best = forward(online, activation, next_observations).argmax(1, keepdim=True)
    q_next = forward(target, activation, next_observations).gather(1, best)
    return torch.addcmul(rewards, discounts, q_next)


class TorchTraining(_setting.CheckedTraining):
    """The loop; `_learn` does the update on a minibatch of the memory's slots."""

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "sgd") -> None:
        self.check(architecture, optimizer)
        torch.set_num_threads(1)
        self._optimizer = optimizer
        rng = np.random.default_rng(seed)
        self.returns: list[float] = []
        self._architecture = architecture
        self._activation = architecture.activation
        self._random = random.Random(int(rng.integers(2**63)))
        self._generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        self._parameters = torch.from_numpy(_setting.initial_parameters(architecture, rng))
        self._online = layers(self._parameters, architecture)
        self._target = separate(self._online)
        memory = _setting.random_transitions(rng)
        self._written = memory  # NumPy's view of the same memory: writing numbers one by one is cheaper there
        self._memory = [torch.from_numpy(array).view(CAPACITY, -1) for array in memory]
        self._next = 0
        self._slots = torch.empty(BATCH, dtype=torch.int64)
        self._seen = torch.empty(1, OBSERVATION_SIZE)
        self._observation = self._seen.numpy()[0]
        self._updates = 0
        self._start_episode()

    @abstractmethod
    def _learn(self) -> None:
        """One update from the memory's `_slots`."""

    @torch.inference_mode()
    def _greedy(self) -> int:
        return int(forward(self._online, self._activation, self._seen).argmax())

    def run(self, steps: int) -> None:
        torch.set_flush_denormal(True)  # of this thread, where Adam's moments would become subnormal numbers
        try:
            self._run(steps)
        finally:
            torch.set_flush_denormal(False)

    def _run(self, steps: int) -> None:
        for _ in range(steps):
            self._step()
            torch.randint(CAPACITY, (BATCH,), generator=self._generator, out=self._slots)
            self._learn()
            self._updates += 1
            if self._updates % _setting.TARGET_EVERY == 0:
                self._target = separate(self._online)

    def loss_and_gradient(
        self, parameters: np.ndarray, observations: np.ndarray, actions: np.ndarray, targets: np.ndarray
    ) -> tuple[float, np.ndarray]:
        network = layers(torch.from_numpy(parameters.copy()), self._architecture)
        leaves = [tensor.requires_grad_() for layer in network for tensor in layer]
        columns = torch.from_numpy(actions).view(-1, 1), torch.from_numpy(targets).view(-1, 1)
        value = loss(network, self._activation, torch.from_numpy(observations), *columns)
        gradient = torch.autograd.grad(value, leaves)
        return value.item(), torch.cat([tensor.flatten() for tensor in gradient]).numpy()

    def _start_episode(self) -> None:
        self._theta, self._omega = _pendulum.start(self._random.random(), self._random.random())
        self._observation[:] = _pendulum.observe(self._theta, self._omega)
        self._length, self._return = 0, 0.0

    def _step(self) -> None:
        """Act, step the pendulum, store."""
        explores = self._random.random() < _setting.EPSILON
        action = self._random.randrange(N_ACTIONS) if explores else self._greedy()
        slot, memory = self._next, self._written
        memory.observations[slot] = self._observation
        self._theta, self._omega, reward = _pendulum.step(self._theta, self._omega, action)
        self._observation[:] = _pendulum.observe(self._theta, self._omega)
        self._length += 1
        self._return += reward
        over = self._length == _setting.HORIZON
        memory.actions[slot], memory.rewards[slot] = action, reward
        memory.discounts[slot] = 0 if over else _setting.GAMMA
        memory.next_observations[slot] = self._observation
        self._next = (slot + 1) % CAPACITY
        if over:
            self.returns.append(self._return)
            self._start_episode()
