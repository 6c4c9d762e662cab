"""The agent's settings: keywords of ``DQNAgent``, and the section ``[agent]`` of a run; and the errors they explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from nasdqn_fast.engine.optimizer_settings import LEARNING_RATES, OptimizerSettings
from nasdqn_fast.errors import NonFiniteError, OutOfRange, suggest
from nasdqn_fast.options import UNSAID, Checked, option
from nasdqn_fast.validation import check_decay, check_positive32

LOSSES = ("huber", "mse")
# What the core can count in, or a typing error that would only be noticed as a lack of memory.
MAX_BATCH, MAX_CAPACITY, MAX_ENVS = 1 << 20, (1 << 32) - 1, 1 << 20
MAX_UPDATES = 1 << 10  # of one step: they are made without looking for signals in between


@dataclass(frozen=True)
class AgentSettings(Checked):
    """Keyword arguments of ``DQNAgent`` (Rahmani et al. 2025, arXiv:2510.19872, sections 2.2 and 2.3.1).

    Episode n is played with exploration probability max(policy_epsilon_end, policy_epsilon_start
    policy_epsilon_decay^n). ``horizon_is="truncated"`` is Pardo et al. 2018, arXiv:1712.00378.

    Raises:
        TypeError, ValueError: a setting of the wrong type or out of range.
    """

    gamma: float = option(0.99, "discount", f"{UNSAID}; usual in the field", minimum=0, maximum=1)
    optimizer: str = option("sgd", "update rule of the weights", "paper 2.2.3", choices=tuple(LEARNING_RATES))
    learning_rate: float | None = option(
        None,
        "learning rate",
        f"{UNSAID}; adam's is CleanRL's",
        check=check_positive32,
        shown="0.001 with sgd, 0.00025 with adam",
    )
    gradient_clip: float = option(1.0, "bound of every element of the gradient", "paper 2.2.3", check=check_positive32)
    loss: str = option(
        "huber", "loss of a temporal-difference error: Huber's, or its square", "paper 2.2.3", choices=LOSSES
    )
    huber_delta: float = option(1.0, "where the Huber loss turns linear", "paper 2.2.3", check=check_positive32)
    batch_size: int = option(64, "transitions in a minibatch", UNSAID, minimum=1, maximum=MAX_BATCH)
    updates_per_step: int = option(1, "updates for each environment step", UNSAID, minimum=1, maximum=MAX_UPDATES)
    replay_capacity: int = option(50_000, "transitions kept", UNSAID, minimum=1, maximum=MAX_CAPACITY)
    warm_up: int = option(1_000, "environment steps before the first update", UNSAID, minimum=0)
    target_every: int = option(1_000, "updates between copies to the target network", UNSAID, minimum=1)
    policy_epsilon_start: float = option(
        1.0, "probability of a random action in the first episode", UNSAID, minimum=0, maximum=1
    )
    policy_epsilon_decay: float = option(
        0.995, "factor of that probability from episode to episode", UNSAID, minimum=0, maximum=1
    )
    policy_epsilon_end: float = option(0.05, "its lowest value over the episodes", UNSAID, minimum=0, maximum=1)
    horizon_is: str = option(
        "terminal",
        "what the time limit is to the target: y = r, or bootstrapped",
        "paper 2.1.3, 2.3.1",
        choices=("terminal", "truncated"),
    )
    num_envs: int = option(1, "environments stepped in lockstep", UNSAID, minimum=1, maximum=MAX_ENVS)

    def __post_init__(self) -> None:
        super().__post_init__()
        names = ("policy_epsilon_start", "policy_epsilon_decay", "policy_epsilon_end")
        check_decay(names, *(getattr(self, name) for name in names))
        if self.batch_size > self.replay_capacity:
            raise OutOfRange(
                "batch_size",
                f"at most {{replay_capacity}} ({self.replay_capacity})",
                str(self.batch_size),
                "lower {batch_size} or raise {replay_capacity}",
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
        """The learning rate in use: the one given, or the optimizer's default."""
        return self.optimizer_settings().resolved_learning_rate

    def policy_epsilon(self, episodes: int) -> float:
        """The exploration probability of an episode that starts after `episodes` have ended."""
        return max(self.policy_epsilon_end, self.policy_epsilon_start * self.policy_epsilon_decay**episodes)

    def non_finite(self, what: str, episode: int, network: str = "") -> NonFiniteError:
        """The error for a NaN or an infinity.

        Args:
            what: ``loss``, ``weights``, ``observation`` or ``reward``.
            episode: which one, counted from 1.
            network: of a loss, whose weights were not finite before the update: ``network`` or ``target``; empty if all
                were, so that the loss by itself is too large.
        """
        if network:
            hint = (
                f"the weights of the {network} are not finite, and were not before this update; if you have set them, "
                f"set others, and if training has, lower learning_rate (now {self.resolved_learning_rate:g})"
            )
        elif what in ("loss", "weights"):
            hint = f"lower learning_rate (now {self.resolved_learning_rate:g})"
        else:
            hint = "the environment returned it; check its parameters and its step function"
        return NonFiniteError(f"non-finite {what} in episode {episode}: {hint}")
