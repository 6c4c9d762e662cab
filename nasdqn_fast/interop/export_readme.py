"""The README of an exported network: what it is, how it was trained, what it returns, how to load it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.interop.onnx import OPSET
from nasdqn_fast.run.directory import CONFIG, NETWORK
from nasdqn_fast.space import LEAKY_SLOPE

MODEL, ABOUT = "network.onnx", "config.json"  # the network has the name that it has in the run directory


def readme(run: Path, about: dict[str, Any], network: BaseNetwork) -> str:
    """The text.

    Args:
        run: run directory.
        about: what ``config.json`` holds.
        network: the one that is exported.
    """
    training, played = about["training"], about["evaluation"]
    env, agent = training["env"]["name"], training["agent"]
    n_in, n_out = network.observation_size, network.n_actions
    count = network.architecture.parameter_count(n_in, n_out)
    low, high = played["interval_95"]
    optimum = "" if played["optimum"] is None else f"The best possible mean is {played['optimum']:.1f}.\n"
    statistics = (
        "The network normalizes observations itself, in both files: give it those of the environment.\n"
        if about["normalizes_observations"]
        else ""
    )
    return f"""# {about["architecture"]}, a Q-network for {env}

A multilayer perceptron from the {n_in} numbers of an observation to the Q-values of {n_out} actions: {count:,}
parameters, float32, trained by nasdqn-fast. The greedy action is the one with the highest Q-value.
Observations are float32, as the environment gives them; those of a Discrete space are given one-hot.
{statistics}
| file | what |
|---|---|
| `{NETWORK}` | tensors `layers.0.weight` (out, in), `layers.0.bias`, `layers.1.weight`, ...; metadata |
| `{MODEL}` | ONNX, opset {OPSET}: `observations` (n, {n_in}) to `q_values` (n, {n_out}) and `action` (n,), int64 |
| `{ABOUT}` | this network, its returns, every setting of its training, and what was installed |

## Returns

**{played["mean_return"]:.2f}**, 95 % interval {low:.2f} to {high:.2f}: the mean undiscounted return
of {played["episodes"]} greedy episodes, and bootstrap percentiles of this mean.
{optimum}The interval is about the episodes of this network; networks of other seeds scatter more.

## Training

- Method `{training["search"]["method"]}` on `{env}`, seed {training["run"]["seed"]}, {_length(training)}.
- Optimizer {agent["optimizer"]}, discount {agent["gamma"]:g}, minibatches of {agent["batch_size"]}.
- This is the {about["network"]} network of the run `{run.resolve().name}`, from {about["source"]}.
- Every setting is under `training` in `{ABOUT}`. Beside the run directory, the training is repeated by
  `nasdqn-fast train --config {shlex.quote(f"{run.resolve().name}/{CONFIG}")}`.

## Loading

With nasdqn-fast:

```python
{_with_nasdqn_fast(network)}
```

With PyTorch:

```python
{_with_torch(network)}
```

With ONNX Runtime:

```python
{_with_onnxruntime(network)}
```
"""


def _length(training: dict[str, Any]) -> str:
    steps = training["agent"].get("steps")
    return f"{training['run']['episodes']:,} episodes" if steps is None else f"{steps:,} steps"


def _with_nasdqn_fast(network: BaseNetwork) -> str:
    return f"""import numpy as np
from nasdqn_fast import QNetwork
network = QNetwork.load("{NETWORK}")
observations = np.zeros((1, {network.observation_size}), np.float32)
print(network.forward(observations), network.predict(observations))"""


def _with_torch(network: BaseNetwork) -> str:
    if network.normalizer is not None:
        return f"""import torch
from nasdqn_fast import QNetwork
from nasdqn_fast.interop.torch import to_module
module = to_module(QNetwork.load("{NETWORK}"))
print(module(torch.zeros(1, {network.observation_size})))"""
    activation = {"relu": "nn.ReLU()", "tanh": "nn.Tanh()", "leaky_relu": f"nn.LeakyReLU({LEAKY_SLOPE})"}
    between = f", {activation[network.architecture.activation]}, "
    layers = between.join(f"nn.Linear({n_in}, {n_out})" for n_in, n_out in (w.shape for w in network.weights))
    # Layer i of the file is part 2 i of the nn.Sequential: there is an activation after each.
    return f"""import re, safetensors.torch, torch; from torch import nn
tensors = safetensors.torch.load_file("{NETWORK}")
module = nn.Sequential({layers})
module.load_state_dict({{re.sub(r"layers.(\\d+)", lambda m: str(2 * int(m[1])), k): t for k, t in tensors.items()}})
print(module(torch.zeros(1, {network.observation_size})))"""


def _with_onnxruntime(network: BaseNetwork) -> str:
    return f"""import numpy as np
import onnxruntime
session = onnxruntime.InferenceSession("{MODEL}")
q_values, action = session.run(None, {{"observations": np.zeros((1, {network.observation_size}), np.float32)}})
print(q_values, action)"""
