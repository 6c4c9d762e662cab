"""PyTorch compiled: sampling, update and the next action in one graph, called once a step."""

from __future__ import annotations

import torch
from torch import Tensor

from nasdqn_fast.space import Architecture
from peers import _setting, _torch
from peers._torch import Layers


def learn_and_act(
    online: Layers, target: Layers, activation: str, memory: list[Tensor], slots: Tensor, seen: Tensor
) -> Tensor:
    """One update of `online` in place, then the greedy action for the observation seen."""
    observations, actions, rewards, discounts, next_observations = (column[slots] for column in memory)
    targets = _torch.double_dqn_targets(online, target, activation, rewards, discounts, next_observations)
    gradients = torch.func.grad(_torch.loss)(online, activation, observations, actions, targets)
    for layer, layer_gradient in zip(online, gradients, strict=True):
        for parameter, gradient in zip(layer, layer_gradient, strict=True):
            parameter.sub_(_setting.LEARNING_RATE * gradient.clamp(-_setting.CLIP, _setting.CLIP))
    return _torch.forward(online, activation, seen).argmax()


class Training(_torch.TorchTraining):
    description = "PyTorch compiled by Inductor, update and action in one call"
    version = torch.__version__

    def __init__(self, architecture: Architecture, seed: int) -> None:
        super().__init__(architecture, seed)
        # Views of one vector are aliases to the compiler, which would write the whole vector for each of them.
        self._online = _torch.separate(self._online)
        # Each architecture has a compilation of its own: shared ones make sizes dynamic, and end at the eighth.
        self._compiled = torch.compile(  # type: ignore[call-overload]  # its overloads lack isolate_recompiles
            learn_and_act, fullgraph=True, dynamic=False, isolate_recompiles=True
        )
        self._action = super()._greedy()

    def _greedy(self) -> int:
        return self._action

    @torch.no_grad()
    def _learn(self) -> None:
        action = self._compiled(self._online, self._target, self._activation, self._memory, self._slots, self._seen)
        self._action = int(action)
