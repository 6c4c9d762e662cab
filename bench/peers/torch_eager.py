"""PyTorch, eager and lean: autograd for the loss alone, clip and SGD in place on one vector of all parameters."""

from __future__ import annotations

import torch

from nasdqn_fast.space import Architecture
from peers import _setting, _torch
from peers._setting import BATCH


class Training(_torch.TorchTraining):
    description = "PyTorch eager, clip and SGD fused over one parameter vector"
    version = torch.__version__

    def __init__(self, architecture: Architecture, seed: int) -> None:
        super().__init__(architecture, seed)
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
            self._parameters.add_(self._gradient.clamp_(-_setting.CLIP, _setting.CLIP), alpha=-_setting.LEARNING_RATE)
