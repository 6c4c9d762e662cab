"""PyTorch as most write it: `nn.Sequential`, autograd and a fused optimizer; single updates of any size."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasdqn_fast.space import Architecture
from peers import _setting
from peers._setting import CAPACITY, N_ACTIONS, OBSERVATION_SIZE

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU}


class Updates:
    """Double-DQN updates on minibatches of a full replay memory, in one thread.

    Args:
        architecture: of the Q-network.
        batch: transitions in a minibatch.
        optimizer: ``sgd`` or ``adam``, the settings those of `_setting`.
    """

    description = "nn.Sequential, each element of the gradient clipped, the optimizer fused"
    version = torch.__version__

    def __init__(self, architecture: Architecture, batch: int, optimizer: str) -> None:
        torch.set_num_threads(1)
        rng = np.random.default_rng(0)
        self._architecture, self._batch, self._optimizer_name = architecture, batch, optimizer
        self._generator = torch.Generator().manual_seed(0)
        parameters = _setting.initial_parameters(architecture, rng)
        self._online, self._target = (_network(architecture, parameters) for _ in range(2))
        self._optimizer = _optimizer(self._online.parameters(), optimizer)
        self._memory = [torch.from_numpy(array).view(CAPACITY, -1) for array in _setting.random_transitions(rng)]

    def update(self) -> None:
        """One of them, from the draw of the minibatch to the optimizer's step."""
        slots = torch.randint(CAPACITY, (self._batch,), generator=self._generator)
        observations, actions, rewards, discounts, next_observations = (column[slots] for column in self._memory)
        with torch.no_grad():
            best = self._online(next_observations).argmax(1, keepdim=True)
            targets = torch.addcmul(rewards, discounts, self._target(next_observations).gather(1, best))
        self._optimizer.zero_grad()
        _loss(self._online, observations, actions, targets).backward()
        self._step(self._online, self._optimizer)

    def run(self, n: int) -> None:
        torch.set_flush_denormal(True)  # of this thread, where Adam's moments would become subnormal numbers
        try:
            for _ in range(n):
                self.update()
        finally:
            torch.set_flush_denormal(False)

    def loss_and_gradient(
        self, parameters: np.ndarray, observations: np.ndarray, actions: np.ndarray, targets: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """As `_setting.CheckedTraining.loss_and_gradient`."""
        network = _network(self._architecture, parameters)
        columns = torch.from_numpy(actions).view(-1, 1), torch.from_numpy(targets).view(-1, 1)
        value = _loss(network, torch.from_numpy(observations), *columns)
        value.backward()
        return value.item(), _vector(parameter.grad for parameter in network.parameters())

    def take_steps(self, parameters: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """As `_setting.CheckedTraining.take_steps`."""
        network = _network(self._architecture, parameters)
        optimizer = _optimizer(network.parameters(), self._optimizer_name)
        for gradient in gradients:
            views = itertools.chain.from_iterable(_setting.layers(gradient, self._architecture))
            for parameter, view in zip(network.parameters(), views, strict=True):
                parameter.grad = torch.from_numpy(view.T.copy())
            self._step(network, optimizer)
        return _vector(network.parameters())

    @staticmethod
    def _step(network: nn.Sequential, optimizer: torch.optim.Optimizer) -> None:
        nn.utils.clip_grad_value_(network.parameters(), _setting.CLIP)
        optimizer.step()


def _network(architecture: Architecture, parameters: np.ndarray) -> nn.Sequential:
    sizes = architecture.layer_sizes(OBSERVATION_SIZE, N_ACTIONS)
    linear = [nn.Linear(n_in, n_out) for n_in, n_out in itertools.pairwise(sizes)]
    with torch.no_grad():
        for layer, (w, b) in zip(linear, _setting.layers(parameters, architecture), strict=True):
            layer.weight.copy_(torch.from_numpy(w.T.copy()))
            layer.bias.copy_(torch.from_numpy(b.copy()))
    hidden = itertools.chain.from_iterable((layer, ACTIVATIONS[architecture.activation]()) for layer in linear[:-1])
    return nn.Sequential(*hidden, linear[-1])


def _optimizer(parameters: Iterable[nn.Parameter], name: str) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=_setting.LEARNING_RATE, fused=True)
    betas = _setting.ADAM_BETA_1, _setting.ADAM_BETA_2
    return torch.optim.Adam(
        parameters, lr=_setting.ADAM_LEARNING_RATE, betas=betas, eps=_setting.ADAM_EPSILON, fused=True
    )


def _loss(network: nn.Sequential, observations: Tensor, actions: Tensor, targets: Tensor) -> Tensor:
    return functional.smooth_l1_loss(network(observations).gather(1, actions), targets)


def _vector(tensors: Iterable[Tensor | None]) -> np.ndarray:
    """W0, b0, W1, b1, ..., each W (n_in, n_out), of PyTorch's (n_out, n_in)."""
    return np.concatenate([tensor.detach().numpy().T.ravel() for tensor in tensors if tensor is not None])
