"""Keeps, in originals.npz, what Stable-Baselines3's DQN and CleanRL's come to in small runs on our environments.

    python tests/data/make_originals.py    # needs PyTorch and stable-baselines3

Their random draws are replaced by ours: initial weights, starts, actions and minibatches are those of our agent with
the same seed, as long as its loop is theirs. Stable-Baselines3 is the package itself; what CleanRL's script does is
written down here again, in PyTorch.

Both compute in float64. In float32 what they come to after a thousand updates can depend on the order in which
numbers are added: Stable-Baselines3 with RL Zoo's settings for Acrobot, its initial weights changed by a unit in the
last place, ends with parameters that differ by 0.28.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.config import resolve
from nasdqn_fast.engine import backends
from nasdqn_fast.interop.gymnasium import KernelEnv
from nasdqn_fast.seeding import Streams

FILE = Path(__file__).with_name("originals.npz")
SEED = 1
# Every so many parameters of a large network are kept.
KEPT = 12

Results = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A run of an original, and ours.

    Args:
        original: ``sb3`` or ``cleanrl``.
        profile: of ours.
        env: the environment.
        steps: of the whole run.
        theirs: arguments of `stable_baselines3.DQN`, or of CleanRL's script, that are not its defaults.
        ours: settings, likewise, that the profile does not have.
        limit: steps of an episode; None is the environment's.
    """

    original: str
    profile: str
    env: str
    steps: int
    theirs: Mapping[str, Any] = field(default_factory=dict)
    ours: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None

    def agent(self, backend: str = "native", **more: Any) -> Any:
        """Our agent, as a run with this profile would make it.

        Args:
            backend: as in a run.
            **more: for the agent's constructor.
        """
        options = {"profile": self.profile, "env": self.env, "steps": self.steps}
        config = resolve(None, options | {"max_episode_steps": self.limit} | self.ours)
        env = KernelEnv(self.env, max_episode_steps=self.limit).environment
        return backends.find(backend).DQNAgent(env, config.search.architecture, rng=SEED, **vars(config.agent), **more)


BENCH = Path(__file__).parents[2] / "bench"
sys.path.append(str(BENCH))
_originals = importlib.import_module("learning_curves.originals")
sys.path.remove(str(BENCH))
_IDS = {"cartpole": "CartPole-v1", "mountain-car": "MountainCar-v0", "acrobot": "Acrobot-v1"}
ZOO: dict[str, dict[str, Any]] = {env: _originals.ZOO[task] for env, task in _IDS.items()}


def falling(remaining: float) -> float:
    """A learning rate for Stable-Baselines3 that falls from 0.001 to 0 in a line."""
    return 1e-3 * remaining


# Those of a thousand updates are longer; in the others every step is an episode, so that all can be read after each.
CASES = {
    "sb3": Case("sb3", "sb3", "cartpole", 4_100),
    "sb3-targets": Case("sb3", "sb3", "cartpole", 4_100, {"target_update_interval": 500}, {"target_every": 500}),
    "zoo-cartpole": Case("sb3", "zoo", "cartpole", 2_816, ZOO["cartpole"]),
    "zoo-mountain-car": Case("sb3", "zoo", "mountain-car", 2_992, ZOO["mountain-car"]),
    "zoo-acrobot": Case("sb3", "zoo", "acrobot", 1_000, ZOO["acrobot"]),
    "cleanrl": Case("cleanrl", "cleanrl", "cartpole", 20_001),
    "sb3-steps": Case(
        "sb3",
        "sb3",
        "cartpole",
        400,
        {"target_update_interval": 30, "learning_rate": falling},
        {"target_every": 30, "learning_rate": 1e-3, "learning_rate_schedule": "linear"},
        limit=1,
    ),
    "sb3-tau-steps": Case(
        "sb3",
        "sb3",
        "cartpole",
        400,
        {"target_update_interval": 30, "gradient_steps": -1, "tau": 0.5},
        {"target_every": 30, "updates_per_train": 4, "target_tau": 0.5},
        limit=1,
    ),
    "zoo-cartpole-steps": Case("sb3", "zoo", "cartpole", 1_280, ZOO["cartpole"], limit=1),
    "zoo-acrobot-steps": Case("sb3", "zoo", "acrobot", 280, ZOO["acrobot"], limit=1),
    "cleanrl-steps": Case(
        "cleanrl",
        "cleanrl",
        "cartpole",
        300,
        {"learning_starts": 100, "target_network_frequency": 30},
        {"warm_up": 101, "target_every": 30},
        limit=1,
    ),
}
LONG = [name for name in CASES if not name.endswith("-steps")]
BY_STEPS = [name for name in CASES if name.endswith("-steps")]


def record(case: Case) -> Results:
    """What the original comes to.

    Returns:
        ``parameters`` (P,), those of the network at the end, layer by layer, as `flat`; ``actions``, ``rewards``,
        ``terminated`` and ``observations`` of all transitions; and, after each step, ``epsilons`` of the next action,
        ``updates`` so far, ``rates``, the learning rate of the newest update (NaN before the first), and ``targets``,
        the sum of the sizes of the target's parameters.
    """
    return (_stable_baselines3 if case.original == "sb3" else _cleanrl)(case)


def flat(weights: list[np.ndarray], biases: list[np.ndarray]) -> np.ndarray:
    """All parameters of a network, layer by layer; weights (n_in, n_out)."""
    return np.concatenate([np.ravel(part) for layer in zip(weights, biases, strict=True) for part in layer])


def flat_of_torch(module: Any) -> np.ndarray:
    """`flat` of a PyTorch module whose parameters are those of linear layers, in order."""
    parts = [part.detach().numpy() for part in module.parameters()]
    return flat([weight.T for weight in parts[::2]], parts[1::2])


def size_of(parameters: np.ndarray) -> float:
    return float(np.abs(parameters.astype(np.float64)).sum())


def _start(module: Any, case: Case) -> None:
    """Gives a PyTorch module the initial weights of our agent."""
    import torch

    network = case.agent().network
    parts = [part for layer in zip(network.weights, network.biases, strict=True) for part in layer]
    module.double()
    with torch.no_grad():
        for theirs, ours in zip(module.parameters(), parts, strict=True):
            theirs.copy_(torch.from_numpy(np.ascontiguousarray(ours.T)))


def _environment(case: Case, streams: Streams) -> KernelEnv:
    env = KernelEnv(case.env, max_episode_steps=case.limit)
    env.np_random = streams.env
    return env


class _Results:
    """What is read after each step."""

    def __init__(self) -> None:
        self.epsilons: list[float] = []
        self.updates: list[int] = []
        self.rates: list[float] = []
        self.targets: list[float] = []

    def arrays(self, parameters: np.ndarray, transitions: Mapping[str, np.ndarray]) -> Results:
        by_step = {name: np.array(values) for name, values in vars(self).items()}
        return {"parameters": parameters, **by_step, **transitions}


def _stable_baselines3(case: Case) -> Results:
    import gymnasium
    from stable_baselines3 import DQN
    from stable_baselines3.common.buffers import ReplayBuffer
    from stable_baselines3.common.torch_layers import FlattenExtractor

    streams, results = Streams(SEED), _Results()

    class Memory(ReplayBuffer):
        def sample(self, batch_size: int, env: Any = None) -> Any:
            return self._get_samples(streams.replay.integers(0, self.size(), size=batch_size), env)

    class Actions(gymnasium.spaces.Discrete):
        def sample(self, *_: Any, **__: Any) -> Any:
            return self.dtype.type(streams.policy.integers(self.n))

    class Doubled(FlattenExtractor):
        def forward(self, observations: Any) -> Any:
            return super().forward(observations).double()

    class Watched(DQN):
        rate = np.nan

        def note(self) -> None:
            results.updates.append(self._n_updates)
            results.rates.append(self.rate)
            results.targets.append(size_of(flat_of_torch(self.q_net_target)))

        def _on_step(self) -> None:
            if self.num_timesteps > 1:
                self.note()  # of the step before, its updates included
            super()._on_step()
            results.epsilons.append(self.exploration_rate)

        def train(self, *args: Any, **keywords: Any) -> None:
            super().train(*args, **keywords)
            self.rate = self.policy.optimizer.param_groups[0]["lr"]

    env = _environment(case, streams)
    env.action_space = Actions(env.action_space.n)
    policy = {"features_extractor_class": Doubled, **case.theirs.get("policy_kwargs", {})}
    theirs = {**case.theirs, "policy_kwargs": policy}
    model = Watched("MlpPolicy", env, replay_buffer_class=Memory, device="cpu", **theirs)
    for module in (model.q_net, model.q_net_target):
        _start(module, case)
    # Left at 0 by the constructor until the first step is made: where no random steps precede it, it would be greedy.
    model.exploration_rate = model.exploration_initial_eps
    with _draws_of(streams.policy):
        model.learn(case.steps)
    model.note()
    memory, n = model.replay_buffer, case.steps
    transitions = {
        "observations": memory.observations[:n, 0],
        "actions": memory.actions[:n, 0, 0].astype(np.int8),
        "rewards": memory.rewards[:n, 0],
        "terminated": (memory.dones * (1 - memory.timeouts))[:n, 0].astype(bool),
    }
    return results.arrays(flat_of_torch(model.q_net), transitions)


@contextmanager
def _draws_of(rng: np.random.Generator) -> Iterator[None]:
    """`numpy.random.rand`, by which Stable-Baselines3 decides whether to explore, as a draw of this generator."""
    theirs = np.random.rand
    np.random.rand = rng.random  # type: ignore[assignment]
    try:
        yield
    finally:
        np.random.rand = theirs


CLEANRL = {
    "learning_rate": 2.5e-4,
    "buffer_size": 10_000,
    "gamma": 0.99,
    "target_network_frequency": 500,
    "batch_size": 128,
    "start_e": 1.0,
    "end_e": 0.05,
    "exploration_fraction": 0.5,
    "learning_starts": 10_000,
    "train_frequency": 10,
}


def _cleanrl(case: Case) -> Results:
    """The loop of CleanRL's dqn.py."""
    import torch
    from torch import nn

    about = CLEANRL | case.theirs
    streams, results = Streams(SEED), _Results()
    env = _environment(case, streams)
    n_in, n_actions = env.environment.observation_size, env.environment.n_actions

    def network() -> nn.Module:
        module = nn.Sequential(nn.Linear(n_in, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, n_actions))
        _start(module, case)
        return module

    online, target = network(), network()
    optimizer = torch.optim.Adam(online.parameters(), lr=about["learning_rate"])
    rows: list[tuple[np.ndarray, int, float, np.ndarray, bool]] = []
    updates, rate = 0, np.nan

    def epsilon(step: int) -> float:
        share = step / (about["exploration_fraction"] * case.steps)
        return max(about["start_e"] + (about["end_e"] - about["start_e"]) * share, about["end_e"])

    def update() -> None:
        held = rows[-about["buffer_size"] :]
        # Our ring's slots are theirs: after a turn the oldest is overwritten.
        turn = len(rows) % about["buffer_size"] if len(rows) > about["buffer_size"] else 0
        slots = streams.replay.integers(0, len(held), size=about["batch_size"])
        drawn = [held[(slot - turn) % len(held)] for slot in slots]
        seen, actions, rewards, following, over = (
            torch.from_numpy(np.array(part)) for part in zip(*drawn, strict=True)
        )
        seen, following = seen.double(), following.double()
        with torch.no_grad():
            y = rewards.double() + about["gamma"] * target(following).max(dim=1).values * (~over).double()
        q = online(seen).gather(1, actions[:, None])[:, 0]
        loss = nn.functional.mse_loss(q, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    seen, _ = env.reset()
    for step in range(case.steps):
        if streams.policy.random() < epsilon(step):
            action = int(streams.policy.integers(n_actions))
        else:
            with torch.no_grad():
                action = int(online(torch.from_numpy(seen[None]).double()).argmax())
        following, reward, terminated, truncated, _ = env.step(np.int64(action))
        rows.append((seen, action, reward, following, terminated))
        seen = env.reset()[0] if terminated or truncated else following
        if step > about["learning_starts"]:
            if step % about["train_frequency"] == 0:
                update()
                updates, rate = updates + 1, optimizer.param_groups[0]["lr"]
            if step % about["target_network_frequency"] == 0:
                target.load_state_dict(online.state_dict())
        results.epsilons.append(epsilon(step + 1))
        results.updates.append(updates)
        results.rates.append(rate)
        results.targets.append(size_of(flat_of_torch(target)))
    transitions = {
        "observations": np.array([row[0] for row in rows]),
        "actions": np.array([row[1] for row in rows], np.int8),
        "rewards": np.array([row[2] for row in rows], np.float32),
        "terminated": np.array([row[4] for row in rows]),
    }
    return results.arrays(flat_of_torch(online), transitions)


def small(name: str, results: Results) -> Results:
    """The part that is kept: parameters in full of small networks only, and of each step what the case is about."""
    kept = {"actions": results["actions"], "terminated": np.packbits(results["terminated"])}
    parameters = results["parameters"]
    kept["parameters"] = (parameters if len(parameters) < 20_000 else parameters[::KEPT]).astype(np.float32)
    if name in BY_STEPS:
        kept |= {part: results[part] for part in ("epsilons", "updates", "rates", "targets")}
    return kept


def main() -> int:
    kept = {}
    for name, case in CASES.items():
        results = record(case)
        print(f"{name}: {results['updates'][-1]} updates, {len(results['actions'])} steps")
        kept |= {f"{name}/{part}": array for part, array in small(name, results).items()}
    np.savez_compressed(FILE, **kept)
    print(f"{FILE.name}: {FILE.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
