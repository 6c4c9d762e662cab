"""Training runs of Stable-Baselines3 and of CleanRL's ``dqn.py``, as their authors wrote them.

Imports nothing of nasdqn_fast, so that it runs where only the originals are installed.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from learning_curves import cleanrl
from learning_curves.greedy import greedy_returns
from learning_curves.runs import Case, Run

# hyperparams/dqn.yml of rl_zoo3 2.9.2
_LARGE = {"policy_kwargs": {"net_arch": [256, 256]}}
_FREQUENT: dict[str, Any] = {
    "learning_rate": 6.3e-4,
    "batch_size": 128,
    "buffer_size": 50_000,
    "learning_starts": 0,
    "gamma": 0.99,
    "target_update_interval": 250,
    "train_freq": 4,
    "gradient_steps": -1,
    "exploration_fraction": 0.12,
    "exploration_final_eps": 0.1,
}
ZOO: dict[str, dict[str, Any]] = {
    "CartPole-v1": {
        "learning_rate": 2.3e-3,
        "batch_size": 64,
        "buffer_size": 100_000,
        "learning_starts": 1_000,
        "gamma": 0.99,
        "target_update_interval": 10,
        "train_freq": 256,
        "gradient_steps": 128,
        "exploration_fraction": 0.16,
        "exploration_final_eps": 0.04,
        **_LARGE,
    },
    "MountainCar-v0": {
        "learning_rate": 4e-3,
        "batch_size": 128,
        "buffer_size": 10_000,
        "learning_starts": 1_000,
        "gamma": 0.98,
        "target_update_interval": 600,
        "train_freq": 16,
        "gradient_steps": 8,
        "exploration_fraction": 0.2,
        "exploration_final_eps": 0.07,
        **_LARGE,
    },
    "Acrobot-v1": {**_FREQUENT, **_LARGE},
}


def train(case: Case, seed: int, checkout: Path | None) -> Run:
    """One run of the original that the case's profile is named after.

    Args:
        case: what to train.
        seed: of the original's own generators.
        checkout: one of CleanRL, needed for its profile only.
    """
    import torch

    torch.set_num_threads(1)
    if case.profile == "cleanrl":
        assert checkout is not None
        return _cleanrl(case, seed, checkout)
    return _stable_baselines3(case, seed)


def _stable_baselines3(case: Case, seed: int) -> Run:
    from stable_baselines3 import DQN

    settings = ZOO[case.task] if case.profile == "zoo" else {}
    wall, cpu = time.perf_counter(), time.process_time()
    model = DQN("MlpPolicy", case.task, seed=seed, device="cpu", **settings)
    model.learn(case.steps)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    monitor = model.get_env().envs[0]  # type: ignore[union-attr,attr-defined]
    steps, returns = np.cumsum(monitor.get_episode_lengths()), np.array(monitor.get_episode_rewards())
    greedy = greedy_returns(_values(model.q_net.q_net), case.task)
    return Run(steps, returns, greedy, wall, cpu, _about("stable_baselines3"))


def _cleanrl(case: Case, seed: int, checkout: Path) -> Run:
    cleanrl.prepare(checkout)
    wall, cpu = time.perf_counter(), time.process_time()
    left, steps, returns = cleanrl.run(checkout, case.task, seed, case.steps)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    greedy = greedy_returns(_values(left["q_network"].network), case.task)
    return Run(steps, returns, greedy, wall, cpu, _about("torch"))


def _about(*packages: str) -> dict[str, Any]:
    names = dict.fromkeys((*packages, "torch", "gymnasium", "numpy"))
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _values(network: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Q of float32 [rows, observation], in NumPy: a torch `Sequential` of linear layers and ReLU, as both have."""
    parameters = [parameter.detach().numpy() for parameter in network.parameters()]
    layers = list(zip(parameters[::2], parameters[1::2], strict=True))

    def values(rows: np.ndarray) -> np.ndarray:
        for weights, biases in layers[:-1]:
            rows = np.maximum(rows @ weights.T + biases, 0)
        weights, biases = layers[-1]
        return rows @ weights.T + biases

    return values
