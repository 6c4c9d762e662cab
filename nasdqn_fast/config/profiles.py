"""Profiles: named sets of defaults, each the difference from the sections' own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nasdqn_fast.envs import NAMESPACE, Environment, EnvKernel, PythonEnvironment
from nasdqn_fast.envs.python import kernel_of
from nasdqn_fast.errors import OutOfRange, UnknownName

Values = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Profile:
    """One set of defaults.

    Args:
        summary: one line for ``nasdqn-fast list profiles``.
        values: section -> key -> value, where it differs from the sections' own defaults.
        environments: environment -> the same, on top of `values`; if there are any, the profile is for these only.
    """

    summary: str
    values: Values = field(default_factory=dict)
    environments: Mapping[str, Values] = field(default_factory=dict)

    def values_for(self, name: str, env: object) -> Values:
        """Its values for an environment.

        Args:
            name: of the profile, for messages.
            env: the environment's name, in the package or at Gymnasium, or its kernel.

        Raises:
            OutOfRange: the profile is not for this environment.
        """
        if not self.environments:
            return self.values
        called = _own_name(env)
        if called not in self.environments:
            known = f"one of {', '.join(self.environments)} with profile {name!r}"
            raise OutOfRange("name", known, repr(called), "choose one of these, or another profile")
        own = self.environments[called]
        return {section: {**self.values.get(section, {}), **own.get(section, {})} for section in {*self.values, *own}}


# At Gymnasium -> here.
_BUILT_IN = {"CartPole-v1": "cartpole", "Acrobot-v1": "acrobot", "MountainCar-v0": "mountain-car"}


def _own_name(env: object) -> str:
    """Of an environment, however it is given: here or, if it is none of the package's, at Gymnasium."""
    if isinstance(env, str):
        called = env
    elif isinstance(env, EnvKernel):
        called = env.gymnasium_id or env.name
    elif isinstance(env, Environment | PythonEnvironment):
        return _own_name(env.kernel)
    else:
        kernel = kernel_of(env)
        called = repr(env) if kernel is None else kernel.name
    for prefix in (f"{NAMESPACE}:", f"{NAMESPACE}/", "gymnasium:"):
        called = called.removeprefix(prefix)
    return _BUILT_IN.get(called, called)


# What the DQNs of Stable-Baselines3 and CleanRL have in common.
_USUAL = {
    "init": "torch",
    "optimizer": "adam",
    "double": False,
    "target_unit": "steps",
    "policy_epsilon_schedule": "linear",
    "horizon_is": "truncated",
}
# Stable-Baselines3 2.9: DQN("MlpPolicy"). It learns when *more* steps than `learning_starts` are made.
_SB3 = _USUAL | {
    "gamma": 0.99,
    "learning_rate": 1e-4,
    "gradient_clip": 10.0,
    "gradient_clip_by": "norm",
    "batch_size": 32,
    "replay_capacity": 1_000_000,
    "random_steps": 100,
    "warm_up": 101,
    "train_every": 4,
    "updates_per_train": 1,
    "target_every": 10_000,
    "policy_epsilon_start": 1.0,
    "policy_epsilon_end": 0.05,
    "exploration_fraction": 0.1,
    "steps": 100_000,
}
# CleanRL 1.x: dqn.py. It counts steps from 0, and learns after those of a larger number than `learning_starts`.
_CLEANRL = _USUAL | {
    "gamma": 0.99,
    "learning_rate": 2.5e-4,
    "gradient_clip_by": "none",
    "loss": "mse",
    "batch_size": 128,
    "replay_capacity": 10_000,
    "warm_up": 10_001,
    "first_step": 0,
    "train_every": 10,
    "updates_per_train": 1,
    "target_every": 500,
    "target_moves": "after",
    "policy_epsilon_start": 1.0,
    "policy_epsilon_end": 0.05,
    "exploration_fraction": 0.5,
    "steps": 500_000,
}
# RL Zoo 2.9: hyperparams/dqn.yml, each beside Stable-Baselines3's defaults.
_ZOO_CARTPOLE = {
    "learning_rate": 2.3e-3,
    "batch_size": 64,
    "replay_capacity": 100_000,
    "random_steps": 1_000,
    "warm_up": 1_001,
    "train_every": 256,
    "updates_per_train": 128,
    "target_every": 10,
    "policy_epsilon_end": 0.04,
    "exploration_fraction": 0.16,
    "steps": 50_000,
}
_ZOO_MOUNTAIN_CAR = {
    "gamma": 0.98,
    "learning_rate": 4e-3,
    "batch_size": 128,
    "replay_capacity": 10_000,
    "random_steps": 1_000,
    "warm_up": 1_001,
    "train_every": 16,
    "updates_per_train": 8,
    "target_every": 600,
    "policy_epsilon_end": 0.07,
    "exploration_fraction": 0.2,
    "steps": 120_000,
}
# Theirs of LunarLander-v3 and of Acrobot-v1; as many updates as steps.
_ZOO_LANDER = {
    "learning_rate": 6.3e-4,
    "batch_size": 128,
    "replay_capacity": 50_000,
    "random_steps": 0,
    "warm_up": 1,
    "train_every": 4,
    "updates_per_train": None,
    "target_every": 250,
    "policy_epsilon_end": 0.1,
    "exploration_fraction": 0.12,
    "steps": 100_000,
}


def _fixed(architecture: str) -> dict[str, Any]:
    return {"method": "fixed", "architecture": architecture}


PROFILES = {
    "paper": Profile("The paper's values, and the plainest choice where it is silent."),
    "robust": Profile(
        "A search that keeps what was learned: nas-dqn, transfer distill, the whole memory kept, Adam.",
        {
            "agent": {"optimizer": "adam", "horizon_is": "truncated", "policy_epsilon_decay": 0.985},
            "search": {
                "method": "nas-dqn",
                "transfer": "distill",
                "replay_keep": 1.0,
            },
        },
    ),
    "sb3": Profile(
        "The defaults of Stable-Baselines3's DQN with its MlpPolicy; 100,000 steps.",
        {"agent": _SB3, "search": _fixed("2x64-relu")},
    ),
    "cleanrl": Profile(
        "The defaults of CleanRL's dqn.py; 500,000 steps.", {"agent": _CLEANRL, "search": _fixed("120,84-relu")}
    ),
    "zoo": Profile(
        "RL Zoo's tuned values of Stable-Baselines3's DQN: cartpole, acrobot, mountain-car and LunarLander-v3 only.",
        {"agent": _SB3, "search": _fixed("2x256-relu")},
        {
            "cartpole": {"agent": _ZOO_CARTPOLE},
            "acrobot": {"agent": _ZOO_LANDER},
            "mountain-car": {"agent": _ZOO_MOUNTAIN_CAR},
            "LunarLander-v3": {"agent": _ZOO_LANDER},
        },
    ),
}


def find_profile(name: str) -> Profile:
    """The profile of this name.

    Raises:
        InputError: unknown name.
    """
    if not isinstance(name, str) or name not in PROFILES:
        raise UnknownName("profile", name, PROFILES)
    return PROFILES[name]
