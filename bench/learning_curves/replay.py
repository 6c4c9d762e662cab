"""CleanRL's script with our random draws, to see whether it then plays our episodes.

Ours and the script's need versions of Gymnasium that exclude each other, so that the draws are handed over in a file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from learning_curves import cleanrl, runs

STREAMS = ("env", "policy", "replay")


def write_draws(path: Path, task: str, seed: int, steps: int) -> int:
    """Train ours under the profile ``cleanrl``; keep its initial weights, its random streams and its episodes.

    Args:
        path: JSON file to write.
        task: Gymnasium's id.
        seed: of all streams.
        steps: of the environment.

    Returns:
        how many episodes ended.
    """
    from nasdqn_fast import DQNAgent
    from nasdqn_fast.config import resolve
    from nasdqn_fast.seeding import Streams

    env = runs.OURS[task]
    config = resolve(None, {"profile": "cleanrl", "env": env, "steps": steps})
    agent = DQNAgent(env, config.search.architecture, rng=seed, **vars(config.agent))
    layers = [
        {"weights": weights.tolist(), "biases": biases.tolist()}
        for weights, biases in zip(agent.network.weights, agent.network.biases, strict=True)
    ]
    streams = Streams(seed).get_state()
    lengths: list[int] = []
    while not agent.finished:
        lengths += agent.run_episodes(1).lengths.tolist()
    draws = {"task": task, "seed": seed, "steps": steps, "layers": layers, "lengths": lengths}
    path.write_text(json.dumps(draws | {"streams": {name: streams[name] for name in STREAMS}}), encoding="utf-8")
    return len(lengths)


def replay(path: Path, checkout: Path) -> str:
    """Run the script with the draws of a file. What it draws from is replaced for the rest of this process.

    Args:
        path: what `write_draws` wrote.
        checkout: one of CleanRL.

    Returns:
        a line: for how many steps the episodes are the same.
    """
    draws = json.loads(path.read_text(encoding="utf-8"))
    cleanrl.prepare(checkout)
    _replace_draws(draws)
    _, ends, _ = cleanrl.run(checkout, draws["task"], draws["seed"], draws["steps"])
    theirs, ours = np.diff(ends, prepend=0), np.array(draws["lengths"])
    if np.array_equal(theirs, ours):
        return f"the same {len(ours):,} episodes in all {draws['steps']:,} steps"
    n = min(len(theirs), len(ours))
    first = int(np.argmax(theirs[:n] != ours[:n])) if np.any(theirs[:n] != ours[:n]) else n
    return f"the same {first:,} episodes in the first {ours[:first].sum():,} of {draws['steps']:,} steps"


def _replace_draws(draws: dict[str, Any]) -> None:
    import random

    import gymnasium
    import torch

    streams = {}
    for name, state in draws["streams"].items():
        streams[name] = np.random.Generator(np.random.PCG64())
        streams[name].bit_generator.state = state
    layers = {np.shape(layer["weights"]): layer for layer in draws["layers"]}
    linear, make = torch.nn.Linear, gymnasium.make

    class Linear(linear):  # type: ignore[misc, valid-type]
        def __init__(self, n_in: int, n_out: int) -> None:
            super().__init__(int(n_in), int(n_out))
            layer = layers[int(n_in), int(n_out)]
            with torch.no_grad():
                self.weight.copy_(torch.tensor(layer["weights"]).T)
                self.bias.copy_(torch.tensor(layer["biases"]))

    class Unseeded(gymnasium.Wrapper):  # type: ignore[type-arg]
        def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
            self.unwrapped.np_random = streams["env"]
            return self.env.reset()

    def slots(low: int, high: int, size: Any) -> np.ndarray:
        # The buffer also draws which of its one environments a transition is of.
        return np.zeros(size, np.int64) if high == 1 else streams["replay"].integers(low, high, size=size)

    random.random = streams["policy"].random
    np.random.randint = slots  # type: ignore[assignment]
    gymnasium.spaces.Discrete.sample = lambda self, *_: np.int64(streams["policy"].integers(self.n))  # type: ignore[method-assign, assignment, misc]
    torch.nn.Linear = Linear  # type: ignore[misc]
    gymnasium.make = lambda *args, **options: Unseeded(make(*args, **options))  # type: ignore[assignment]
