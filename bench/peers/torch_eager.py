"""PyTorch, eager and lean: autograd for the loss alone, clip and SGD in place on one vector of all parameters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from nasdqn_fast.space import Architecture
from peers import _setting, _torch
from peers._setting import BATCH


class Training(_torch.TorchTraining):
    description = "PyTorch eager, clip and optimizer fused over one parameter vector"
    version = torch.__version__

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "sgd") -> None:
        super().__init__(architecture, seed, optimizer)
        self._optimize = _stepper(self._parameters, optimizer)
        # Autograd adds to the .grad that it finds: views of one vector, which then takes three calls for all layers.
        self._gradient = torch.zeros_like(self._parameters)
        for layer, gradients in zip(self._online, _torch.layers(self._gradient, architecture), strict=True):
            for parameter, gradient in zip(layer, gradients, strict=True):
                parameter.requires_grad_().grad = gradient
        self._batch = [torch.empty(BATCH, *column.shape[1:], dtype=column.dtype) for column in self._memory]

    def _learn(self) -> None:
        with torch.no_grad():
            for column, out in zip(self._memory, self._batch, strict=True):
                torch.index_select(column, 0, self._slots, out=out)
            observations, actions, rewards, discounts, next_observations = self._batch
            targets = _torch.double_dqn_targets(
                self._online, self._target, self._activation, rewards, discounts, next_observations
            )
            self._gradient.zero_()
        _torch.loss(self._online, self._activation, observations, actions, targets).backward()
        with torch.no_grad():
            self._optimize(self._gradient)

    def take_steps(self, parameters: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        vector = torch.from_numpy(parameters.copy())
        step = _stepper(vector, self._optimizer)
        for gradient in gradients:
            step(torch.from_numpy(gradient.copy()))
        return vector.numpy()


def _stepper(parameters: Tensor, optimizer: str) -> Callable[[Tensor], None]:
    """What takes one step along a gradient, which it clips in place; Adam is PyTorch's own, all in one call."""
    if optimizer == "sgd":

        def descend(gradient: Tensor) -> None:
            parameters.add_(gradient.clamp_(-_setting.CLIP, _setting.CLIP), alpha=-_setting.LEARNING_RATE)

        return descend
    vector = parameters.detach()
    adam = torch.optim.Adam(
        [vector],
        lr=_setting.ADAM_LEARNING_RATE,
        betas=(_setting.ADAM_BETA_1, _setting.ADAM_BETA_2),
        eps=_setting.ADAM_EPSILON,
        fused=True,
    )

    def step(gradient: Tensor) -> None:
        vector.grad = gradient.clamp_(-_setting.CLIP, _setting.CLIP)
        adam.step()

    return step
