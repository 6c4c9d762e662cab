"""PyTorch compiled: sampling, update and the next action in one graph, called once a step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nasdqn_fast.space import Architecture
from peers import _setting, _torch
from peers._torch import Layers

Moments = tuple[Layers, Layers]


def optimize(network: Layers, gradients: Layers, moments: Moments | None, steps: Tensor) -> None:
    """Step number `steps` in place, along the clipped gradients: Adam's if there are moments, which it changes."""
    for i, layer in enumerate(network):
        for j, parameter in enumerate(layer):
            g = gradients[i][j].clamp(-_setting.CLIP, _setting.CLIP)
            if moments is None:
                parameter.sub_(_setting.LEARNING_RATE * g)
                continue
            m, v = moments[0][i][j], moments[1][i][j]
            m.copy_(_setting.ADAM_BETA_1 * m + (1 - _setting.ADAM_BETA_1) * g)
            v.copy_(_setting.ADAM_BETA_2 * v + (1 - _setting.ADAM_BETA_2) * g * g)
            step = _setting.ADAM_LEARNING_RATE / (1 - _setting.ADAM_BETA_1**steps)
            scale = 1 / (1 - _setting.ADAM_BETA_2**steps)
            parameter.sub_(step * m / ((v * scale).sqrt() + _setting.ADAM_EPSILON))


def no_moments(network: Layers, optimizer: str) -> Moments | None:
    """Adam's moments before the first step; None with SGD."""
    if optimizer == "sgd":
        return None
    first, second = ([(torch.zeros_like(w), torch.zeros_like(b)) for w, b in network] for _ in range(2))
    return first, second


def learn_and_act(
    online: Layers,
    target: Layers,
    activation: str,
    moments: Moments | None,
    steps: Tensor,
    memory: list[Tensor],
    slots: Tensor,
    seen: Tensor,
) -> Tensor:
    """One update of `online` in place, then the greedy action for the observation seen."""
    observations, actions, rewards, discounts, next_observations = (column[slots] for column in memory)
    targets = _torch.double_dqn_targets(online, target, activation, rewards, discounts, next_observations)
    gradients = torch.func.grad(_torch.loss)(online, activation, observations, actions, targets)
    steps.add_(1)
    optimize(online, gradients, moments, steps)
    return _torch.forward(online, activation, seen).argmax()


class Training(_torch.TorchTraining):
    description = "PyTorch compiled by Inductor, update and action in one call"
    version = torch.__version__

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "sgd") -> None:
        super().__init__(architecture, seed, optimizer)
        # Views of one vector are aliases to the compiler, which would write the whole vector for each of them.
        self._online = _torch.separate(self._online)
        self._moments = no_moments(self._online, optimizer)
        self._steps = torch.zeros(())
        # Each architecture has a compilation of its own: shared ones make sizes dynamic, and end at the eighth.
        self._compiled = torch.compile(  # type: ignore[call-overload]  # its overloads lack isolate_recompiles
            learn_and_act, fullgraph=True, dynamic=False, isolate_recompiles=True
        )
        self._action = super()._greedy()

    def _greedy(self) -> int:
        return self._action

    @torch.no_grad()
    def _learn(self) -> None:
        networks = self._online, self._target, self._activation
        action = self._compiled(*networks, self._moments, self._steps, self._memory, self._slots, self._seen)
        self._action = int(action)

    def take_steps(self, parameters: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        vector = torch.from_numpy(parameters.copy())
        network = _torch.layers(vector, self._architecture)
        moments = no_moments(network, self._optimizer)
        for steps, gradient in enumerate(gradients, start=1):
            layers = _torch.layers(torch.from_numpy(gradient.copy()), self._architecture)
            optimize(network, layers, moments, torch.tensor(float(steps)))
        return vector.numpy()
