"""The agent's settings: keywords of ``DQNAgent``, and the section ``[agent]`` of a run; and the errors they explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from nasdqn_fast.engine.initial_weights import INITS, InitialWeights
from nasdqn_fast.engine.optimizer_settings import CLIPS, LEARNING_RATES, OptimizerSettings
from nasdqn_fast.errors import NonFiniteError, OutOfRange, suggest
from nasdqn_fast.options import UNSAID, Checked, option
from nasdqn_fast.validation import check_decay, check_fraction, check_positive32

LOSSES = ("huber", "mse")
SAMPLINGS = ("uniform", "prioritized")
# What the core can count in, or a typing error that would only be noticed as a lack of memory.
MAX_BATCH, MAX_CAPACITY, MAX_ENVS = 1 << 20, (1 << 32) - 1, 1 << 20
MAX_PHASE = 1 << 20  # steps before, and updates in, a learning phase
MAX_N_STEP = 1 << 10
MAX_UPDATES = 1 << 10  # of one step: they are made without looking for signals in between


@dataclass(frozen=True)
class AgentSettings(Checked):
    """Keyword arguments of ``DQNAgent`` (Rahmani et al. 2025, arXiv:2510.19872, sections 2.2 and 2.3.1).

    Episode n is played with exploration probability max(policy_epsilon_end, policy_epsilon_start
    policy_epsilon_decay^n), unless it follows the steps.
    ``horizon_is="truncated"`` is Pardo et al. 2018, arXiv:1712.00378.
    ``replay_sampling="prioritized"`` is Schaul et al. 2016, arXiv:1511.05952.

    Raises:
        TypeError, ValueError: a setting of the wrong type or out of range.
    """

    gamma: float = option(
        0.99, "discount factor of later rewards", f"{UNSAID}; usual in the field", minimum=0, maximum=1
    )
    init: str = option(
        "paper",
        "how initial weights are drawn",
        "paper 2.2.2",
        choices=INITS,
    )
    head_scale: float = option(1.0, "scale of the last layer's initial weights", UNSAID, minimum=0)
    optimizer: str = option("sgd", "update rule of the weights", "paper 2.2.3", choices=tuple(LEARNING_RATES))
    learning_rate: float | None = option(
        None,
        "learning rate",
        f"{UNSAID}; adam's is CleanRL's",
        check=check_positive32,
        shown="0.001 with sgd, 0.00025 with adam",
    )
    learning_rate_schedule: str = option(
        "constant",
        "the learning rate over --steps",
        UNSAID,
        choices=("constant", "linear"),
    )
    adam_epsilon: float = option(1e-8, "term added to Adam's denominator", "Kingma & Ba 2015", check=check_positive32)
    gradient_clip: float = option(1.0, "bound on the gradient", "paper 2.2.3", check=check_positive32)
    gradient_clip_by: str = option(
        "element",
        "what --gradient-clip bounds",
        "paper 2.2.3",
        choices=CLIPS,
    )
    double: bool = option(True, "use Double DQN's target", "paper 2.3.1")
    loss: str = option("huber", "loss of a TD error", "paper 2.2.3", choices=LOSSES)
    huber_delta: float = option(
        1.0, "TD error where the Huber loss becomes linear", "paper 2.2.3", check=check_positive32
    )
    batch_size: int = option(64, "transitions in a minibatch", UNSAID, minimum=1, maximum=MAX_BATCH)
    updates_per_step: int = option(1, "updates for each environment step", UNSAID, minimum=1, maximum=MAX_UPDATES)
    train_every: int = option(1, "steps of each environment between updates", UNSAID, minimum=1, maximum=MAX_PHASE)
    updates_per_train: int | None = option(
        None,
        "updates made then",
        UNSAID,
        minimum=1,
        maximum=MAX_PHASE,
        shown="by --updates-per-step",
    )
    replay_capacity: int = option(50_000, "transitions in the replay memory", UNSAID, minimum=1, maximum=MAX_CAPACITY)
    replay_sampling: str = option(
        "uniform",
        "how transitions are drawn from the memory",
        UNSAID,
        choices=SAMPLINGS,
    )
    priority_alpha: float = option(
        0.6, "exponent of the priorities; 0 is uniform", "Schaul et al. 2016", minimum=0, maximum=1
    )
    priority_beta_start: float = option(
        0.4,
        "importance exponent; rises to 1 over --steps",
        "Schaul et al. 2016",
        minimum=0,
        maximum=1,
    )
    priority_epsilon: float = option(
        1e-6, "term added to a TD error in its priority", f"{UNSAID}; OpenAI Baselines'", minimum=0, maximum=1
    )
    warm_up: int = option(1_000, "environment steps before the first update", UNSAID, minimum=0)
    random_steps: int = option(0, "steps at the start with uniformly random actions", UNSAID, minimum=0)
    first_step: int = option(
        1,
        "number of the first step: 1, or CleanRL's 0",
        UNSAID,
        minimum=0,
        maximum=1,
    )
    target_every: int = option(1_000, "updates, or steps, between target moves", UNSAID, minimum=1)
    target_unit: str = option("updates", "what --target-every counts", UNSAID, choices=("updates", "steps"))
    target_moves: str = option(
        "before",
        "before or after the updates of a step",
        UNSAID,
        choices=("before", "after"),
    )
    target_tau: float = option(
        1.0,
        "step of the target to the network; 1 copies it",
        "paper 2.3.1",
        check=check_fraction,
    )
    policy_epsilon_start: float = option(
        1.0, "probability of a random action at the start", UNSAID, minimum=0, maximum=1
    )
    policy_epsilon_decay: float = option(0.995, "its factor from episode to episode", UNSAID, minimum=0, maximum=1)
    policy_epsilon_end: float = option(0.05, "its lowest value", UNSAID, minimum=0, maximum=1)
    policy_epsilon_schedule: str = option(
        "exponential",
        "decay by episode, or linear in steps",
        UNSAID,
        choices=("exponential", "linear"),
    )
    exploration_fraction: float = option(
        0.1,
        "share of --steps until `linear` ends",
        f"{UNSAID}; Stable-Baselines3's",
        check=check_fraction,
    )
    n_step: int = option(1, "rewards summed in a target", UNSAID, minimum=1, maximum=MAX_N_STEP)
    horizon_is: str = option(
        "terminal",
        "whether the time limit ends the return",
        "paper 2.1.3, 2.3.1",
        choices=("terminal", "truncated"),
    )
    steps: int | None = option(None, "environment steps, in place of --episodes", UNSAID, minimum=1, shown="no limit")
    normalize_observations: bool = option(
        False,
        "normalize observations by running statistics",
        f"{UNSAID}; Stable-Baselines3's VecNormalize",
    )
    num_envs: int = option(1, "environments stepped together", UNSAID, minimum=1, maximum=MAX_ENVS)

    def __post_init__(self) -> None:
        super().__post_init__()
        names = ("policy_epsilon_start", "policy_epsilon_decay", "policy_epsilon_end")
        check_decay(names, *(getattr(self, name) for name in names))
        for name, usual in (("learning_rate_schedule", "constant"), ("policy_epsilon_schedule", "exponential")):
            if self.steps is None and getattr(self, name) == "linear":
                raise OutOfRange(name, f"{usual!r} without {{steps}}", "'linear'", "give {steps}")
        if self.steps is not None and self.steps % self.num_envs:
            raise OutOfRange("steps", f"a multiple of {{num_envs}} ({self.num_envs})", str(self.steps))
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

    def with_rows(self, rows: int | None) -> AgentSettings:
        """The settings for a vector environment with so many rows: `num_envs` is their number where it is not given.

        Args:
            rows: None of any other environment.

        Raises:
            ValueError: `num_envs` is another number, or does not divide `steps`.
        """
        if rows in (None, self.num_envs):
            return self
        if self.num_envs != 1:
            expected = f"{rows}, the rows of the vector environment"
            raise OutOfRange("num_envs", expected, str(self.num_envs), "leave {num_envs} out")
        return replace(self, num_envs=rows)

    def initial_weights(self) -> InitialWeights:
        """How the agent's first network starts, and those that a transfer makes anew."""
        return InitialWeights(self.init, self.head_scale)

    def optimizer_settings(self) -> OptimizerSettings:
        """The part that ``Optimizer`` takes."""
        return OptimizerSettings(
            self.optimizer,
            self.learning_rate,
            self.gradient_clip,
            epsilon=self.adam_epsilon,
            clip_by=self.gradient_clip_by,
        )

    @property
    def phase_updates(self) -> int:
        """Updates in a learning phase, of all environments together."""
        if self.updates_per_train is not None:
            return self.updates_per_train
        return self.updates_per_step * self.train_every * self.num_envs

    @property
    def resolved_learning_rate(self) -> float:
        """The learning rate in use: the one given, or the optimizer's default."""
        return self.optimizer_settings().resolved_learning_rate

    def learning_rate_after(self, steps: int, first: float | None = None) -> float:
        """The learning rate of an update after so many environment steps.

        Args:
            steps: of the environment.
            first: that of the first update; None: that of these settings.
        """
        first = self.resolved_learning_rate if first is None else first
        if self.learning_rate_schedule == "constant":
            return first
        assert self.steps is not None
        return first * max(0.0, 1.0 - steps / self.steps)

    def priority_beta_after(self, steps: int) -> float:
        """The exponent of the importance weights, of an update after so many environment steps."""
        if self.steps is None:
            return self.priority_beta_start
        return self.priority_beta_start + (1.0 - self.priority_beta_start) * min(1.0, steps / self.steps)

    @property
    def exploration_steps(self) -> float:
        """Environment steps in which the linear exploration probability reaches its end."""
        assert self.steps is not None
        return self.exploration_fraction * self.steps

    def policy_epsilon(self, episodes: int, steps: int = 0) -> float:
        """The exploration probability.

        Args:
            episodes: how many have ended; it is that of an episode that starts then.
            steps: environment steps so far; if it falls from step to step, it is that of the next one.
        """
        if self.policy_epsilon_schedule == "linear":
            share = min(1.0, steps / self.exploration_steps)
            return self.policy_epsilon_start + (self.policy_epsilon_end - self.policy_epsilon_start) * share
        return max(self.policy_epsilon_end, self.policy_epsilon_start * self.policy_epsilon_decay**episodes)

    def non_finite(self, what: str, episode: int, network: str = "", environment: str = "") -> NonFiniteError:
        """The error for a NaN or an infinity.

        Args:
            what: ``loss``, ``weights``, ``observation`` or ``reward``.
            episode: which one, counted from 1.
            network: of a loss, whose weights were not finite before the update: ``network`` or ``target``; empty if all
                were, so that the loss by itself is too large.
            environment: its name, for an observation or a reward.
        """
        if network:
            hint = (
                f"the weights of the {network} are not finite, and were not before this update; if you have set them, "
                f"set others, and if training has, lower learning_rate (now {self.resolved_learning_rate:g})"
            )
        elif what in ("loss", "weights"):
            hint = f"lower learning_rate (now {self.resolved_learning_rate:g})"
        else:
            name = " ".join(filter(None, ("the environment", environment)))
            hint = f"{name} returned it; check its parameters and its step function"
        return NonFiniteError(f"non-finite {what} in episode {episode}: {hint}")
