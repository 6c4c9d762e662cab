"""The agent's settings, validated in one place for both backends, and the errors they explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nasdqn_fast.engine.optimizer_settings import OptimizerSettings
from nasdqn_fast.errors import NonFiniteError, suggest
from nasdqn_fast.validation import MAX_INT, check_choice, check_decay, check_int, check_positive32, check_unit_interval

HORIZONS = ("terminal", "truncated")
# What the core can count in, or a typing error that would only be met as a lack of memory.
# Updates of one step are made in one go, to which no signal comes through.
MAXIMA = {"batch_size": 1 << 20, "updates_per_step": 1 << 10, "replay_capacity": (1 << 32) - 1, "num_envs": 1 << 20}


@dataclass(frozen=True)
class AgentSettings:
    """Keyword arguments of ``DQNAgent`` (Rahmani et al. 2025, arXiv:2510.19872, sections 2.2 and 2.3.1).

    Args:
        gamma: in [0, 1], discount; not given in the paper.
        optimizer: ``sgd`` (the paper) or ``adam``.
        learning_rate: > 0; None is the optimiser's default.
        gradient_clip: > 0, elementwise; 1.0 in the paper.
        huber_delta: > 0; 1.0 in the paper.
        batch_size: transitions of one update, at most ``replay_capacity`` and 2^20; not given in the paper.
        updates_per_step: updates for each environment step after warm-up, at most 1,024; not given in the paper.
        replay_capacity: transitions kept, at most 2^32 - 1; not given in the paper.
        warm_up: environment steps before the first update; not given in the paper.
        target_every: updates between two hard copies to the target; not given in the paper.
        policy_epsilon_start, policy_epsilon_decay, policy_epsilon_end: all in [0, 1], end <= start;
            episode n is played with max(end, start decay^n); not given in the paper.
        horizon_is: what a time limit means to the target: ``terminal`` (y = r, the paper) or
            ``truncated`` (bootstrap: Pardo et al. 2018, arXiv:1712.00378).
        num_envs: environments stepped in lockstep, at most 2^20.

    Raises:
        TypeError, ValueError: a setting of the wrong type or out of range.
    """

    gamma: float = 0.99
    optimizer: str = "sgd"
    learning_rate: float | None = None
    gradient_clip: float = 1.0
    huber_delta: float = 1.0
    batch_size: int = 64
    updates_per_step: int = 1
    replay_capacity: int = 50_000
    warm_up: int = 1_000
    target_every: int = 1_000
    policy_epsilon_start: float = 1.0
    policy_epsilon_decay: float = 0.995
    policy_epsilon_end: float = 0.05
    horizon_is: str = "terminal"
    num_envs: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "gamma", check_unit_interval("gamma", self.gamma))
        names = ("policy_epsilon_start", "policy_epsilon_decay", "policy_epsilon_end")
        for name, value in zip(names, check_decay(names, *(getattr(self, name) for name in names)), strict=True):
            object.__setattr__(self, name, value)
        for name in ("gradient_clip", "huber_delta"):
            object.__setattr__(self, name, check_positive32(name, getattr(self, name)))
        for name in ("batch_size", "updates_per_step", "replay_capacity", "target_every", "num_envs"):
            object.__setattr__(self, name, check_int(name, getattr(self, name), 1, MAXIMA.get(name, MAX_INT)))
        object.__setattr__(self, "warm_up", check_int("warm_up", self.warm_up, 0))
        check_choice("horizon_is", self.horizon_is, HORIZONS)
        object.__setattr__(self, "learning_rate", self.optimizer_settings().learning_rate)
        if self.batch_size > self.replay_capacity:
            raise ValueError(
                f"batch_size must be at most replay_capacity ({self.replay_capacity}); got {self.batch_size}; "
                "lower batch_size or raise replay_capacity"
            )

    @classmethod
    def from_keywords(cls, keywords: Mapping[str, Any]) -> AgentSettings:
        """Settings from a caller's ``**keywords``.

        Raises:
            TypeError: no setting has that name; the message gives the nearest.
            TypeError, ValueError: as the constructor.
        """
        valid = [field.name for field in fields(cls)]
        for name in keywords:
            if name not in valid:
                raise TypeError(f"unknown setting {name!r}: {suggest(name, valid)}")
        return cls(**keywords)

    def optimizer_settings(self) -> OptimizerSettings:
        """The part that ``Optimizer`` takes."""
        return OptimizerSettings(self.optimizer, self.learning_rate, self.gradient_clip)

    @property
    def resolved_learning_rate(self) -> float:
        """The learning rate in use: the one given, or the optimiser's default."""
        return self.optimizer_settings().resolved_learning_rate

    def policy_epsilon(self, episodes: int) -> float:
        """The exploration probability of an episode that starts after `episodes` have ended."""
        return max(self.policy_epsilon_end, self.policy_epsilon_start * self.policy_epsilon_decay**episodes)

    def non_finite(self, what: str, episode: int) -> NonFiniteError:
        """The error for a NaN or an infinity.

        Args:
            what: ``loss``, ``weights``, ``observation`` or ``reward``.
            episode: which one, counted from 1.
        """
        if what in ("loss", "weights"):
            mend = f"lower learning_rate (now {self.resolved_learning_rate:g})"
        else:
            mend = "the environment returned it; check its parameters and its step function"
        return NonFiniteError(f"non-finite {what} in episode {episode}: {mend}")
