"""Stable-Baselines3's DQN as it comes, on the Gymnasium face of the same pendulum."""

from __future__ import annotations

from typing import cast

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.logger import Logger
from torch import nn

import nasdqn_fast.interop.gymnasium  # noqa: F401, registers the pendulum
from nasdqn_fast.space import Architecture
from peers import _setting

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU}


class Training(_setting.PeerTraining):
    description = "Stable-Baselines3 DQN as it comes: Adam, not double, norm clipped, the horizon bootstraps"
    version = stable_baselines3.__version__
    optimizers = ("adam",)

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "adam") -> None:
        self.check(architecture, optimizer)
        torch.set_num_threads(1)
        self._model = DQN(
            "MlpPolicy",
            gymnasium.make("nasdqn_fast/InvertedPendulum-v0"),
            learning_rate=_setting.ADAM_LEARNING_RATE,
            buffer_size=_setting.CAPACITY,
            learning_starts=0,
            batch_size=_setting.BATCH,
            gamma=_setting.GAMMA,
            train_freq=1,
            target_update_interval=_setting.TARGET_EVERY,
            exploration_initial_eps=_setting.EPSILON,
            exploration_final_eps=_setting.EPSILON,
            policy_kwargs={
                "net_arch": list(architecture.widths),
                "activation_fn": ACTIVATIONS[architecture.activation],
            },
            seed=seed,
            device="cpu",
        )
        self._model.set_logger(Logger(folder=None, output_formats=[]))
        memory = cast(ReplayBuffer, self._model.replay_buffer)  # made by the constructor
        transitions = _setting.random_transitions(np.random.default_rng(seed))
        columns = (np.expand_dims(column, 1) for column in transitions)  # one environment
        for s, a, r, discount, s_next in zip(*columns, strict=True):
            over = discount == 0
            memory.add(s, s_next, a, r, over, [{"TimeLimit.truncated": bool(over)}])

    def run(self, steps: int) -> None:
        self._model.learn(steps, log_interval=steps, reset_num_timesteps=False)
