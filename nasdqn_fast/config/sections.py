"""The settings of a run: five frozen sections, the options of its plug-ins, and the whole.

Every setting carries its default, its help and the source of its default. The TOML file, the command line, the
keywords of `nasdqn_fast.train` and the table in docs/paper.md all follow from what stands here and in
`AgentSettings`. "Paper" is Rahmani et al. 2025, arXiv:2510.19872.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from nasdqn_fast.config.methods import METHODS, find_method
from nasdqn_fast.config.settings import Setting, settings_of
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.controllers.nas_dqn import NASDQN
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.optimizer_settings import LEARNING_RATES
from nasdqn_fast.engine.supernet_plan import SAMPLINGS
from nasdqn_fast.envs import EnvKernel, PythonKernel
from nasdqn_fast.envs.python import kernel_of
from nasdqn_fast.errors import InputError, OutOfRange, WrongType
from nasdqn_fast.options import HERE, UNSAID, Checked, option, options_of, same_option
from nasdqn_fast.rewards.cost import MEASURES
from nasdqn_fast.rewards.forms import FORMS
from nasdqn_fast.rewards.latency_file import check_latencies
from nasdqn_fast.space import ACTIVATIONS, MAX_DEPTH, MAX_WIDTH, SearchSpace, check_architecture
from nasdqn_fast.storage.cadence import Cadence
from nasdqn_fast.validation import (
    check_decay,
    check_each,
    check_fraction,
    check_path,
    check_positive,
    check_positive32,
    check_real,
    check_table,
    described,
)

ADADQN = "the code of Vincent et al. 2025"
SANDWICH = "Yu & Huang 2019, arXiv:1903.05134"
DEFAULT_WEIGHT = 0.07  # of MnasNet, as a power, and of TuNAS, of qualities from 0 to 1
MAX_NETWORKS = 1 << 10
# Algorithm 1 is a picture; this is what the one published account of it says.
SECONDARY = "a secondary account of the paper's Algorithm 1"


def _check_architectures(name: str, value: Any) -> tuple[str, ...]:
    return check_each(name, value, check_architecture)


def _check_cadence(name: str, value: Any) -> str:
    """The text form of a cadence, as it was given."""
    Cadence.parse(name, value)
    return str(value)


def _check_run(name: str, value: Any) -> str:
    """A run directory; absolute, so that the config means the same wherever it is used."""
    return str(check_path(name, value).expanduser().absolute())


def _check_rates(name: str, value: Any) -> tuple[float, ...]:
    """No learning rates, or the lowest and the highest."""
    rates = check_each(name, value, check_positive32)
    if rates and (len(rates) != 2 or rates[0] > rates[1]):
        raise OutOfRange(
            name, "two numbers, the lowest and the highest, or none", ",".join(f"{rate:g}" for rate in rates)
        )
    return rates


def _check_several_rates(name: str, value: Any) -> tuple[float, ...]:
    return check_each(name, value, check_positive32)


def _check_range(name: str, value: Any) -> tuple[float, ...]:
    """Two returns, the second of which is higher."""
    ends = check_each(name, value, check_real)
    if len(ends) != 2 or ends[0] >= ends[1]:
        raise OutOfRange(name, "two numbers, the lower first", ",".join(f"{end:g}" for end in ends))
    return ends


def _check_environment(name: str, value: Any) -> str | EnvKernel | PythonKernel:
    if isinstance(value, (str, EnvKernel)):
        return value
    if (kernel := kernel_of(value)) is not None:
        return kernel
    expected = "a name, module:attribute, a Gymnasium id, an EnvKernel, or a gymnasium.Env"
    raise WrongType(name, expected, described(value))


def _check_method(name: str, value: Any) -> str | type[Controller]:
    if isinstance(value, str) or (isinstance(value, type) and issubclass(value, Controller)):
        return value
    raise WrongType(name, "a name, module:attribute, or a subclass of Controller", described(value))


def check_function(name: str, value: Any) -> Any:
    """A plug-in that is a function: its name, or the object."""
    if isinstance(value, str) or callable(value):
        return value
    raise WrongType(name, "a name, module:attribute, or a function", described(value))


@dataclass(frozen=True)
class EnvConfig(Checked):
    """What is learned: ``[env]``."""

    name: str | EnvKernel | PythonKernel = option(
        "inverted-pendulum",
        "environment: name or Gymnasium id",
        "paper 2.1",
        keyword="env",
        check=_check_environment,
    )
    start: str | None = option(
        None,
        "initial states, by name",
        f"{UNSAID}; +-0.2 is what its threshold of 150 allows",
        shown="the environment's first",
    )
    params: dict[str, float] = option(
        {},
        "one of its parameters; repeatable",
        "paper 2.1",
        keyword="env_param",
        shown="the environment's",
    )
    max_episode_steps: int | None = option(
        None, "steps until an episode is truncated", "paper 2.1.3 (200)", minimum=1, shown="the environment's"
    )


@dataclass(frozen=True)
class SearchConfig(Checked):
    """What is trained when: ``[search]``."""

    method: str | type[Controller] = option(
        "random-nas",
        "name of `list methods`, or a controller",
        "paper 2.4.1",
        check=_check_method,
    )
    architecture: str | None = option(
        None,
        "architecture of method fixed, as 3x64-relu",
        "paper 2.2",
        check=check_architecture,
        shown="none",
    )
    depths: tuple[int, ...] = option(
        (2, 3, 4), "hidden layers to choose from", "paper 2.3.2", minimum=1, maximum=MAX_DEPTH
    )
    widths: tuple[int, ...] = option(
        (32, 64, 128), "units per layer to choose from", "paper 2.3.2", minimum=1, maximum=MAX_WIDTH
    )
    activations: tuple[str, ...] = option(ACTIVATIONS, "activations to choose from", "paper 2.3.2", choices=ACTIVATIONS)
    architectures: tuple[str, ...] | None = option(
        None,
        "the search space as a list, in place of these",
        "paper 2.3.2",
        check=_check_architectures,
        shown="none",
    )
    optimizers: tuple[str, ...] = option(
        (),
        "optimizers to choose from",
        HERE,
        choices=tuple(LEARNING_RATES),
        shown="--optimizer",
    )
    learning_rates: tuple[float, ...] = option(
        (),
        "learning rates to choose from",
        HERE,
        check=_check_several_rates,
        shown="--learning-rate",
    )
    max_parameters: int | None = option(None, "most parameters of an architecture", HERE, minimum=1, shown="no limit")
    switch_every: int = option(200, "episodes between two switches", "paper 2.4.1", minimum=1)
    controller_epsilon_start: float = same_option(NASDQN.Options, "epsilon_start")
    controller_epsilon_decay: float = same_option(NASDQN.Options, "epsilon_decay")
    controller_epsilon_min: float = same_option(NASDQN.Options, "epsilon_min")
    controller_temperature: float = same_option(NASDQN.Options, "temperature")
    controller_buffer: int = same_option(NASDQN.Options, "buffer_size")
    controller_score_kept: str = same_option(NASDQN.Options, "score_kept")
    transfer: Any = option(
        "matching",
        "how weights cross a switch, by name",
        f"{SECONDARY}; the paper's 3.3 says re-initializing",
        check=check_function,
    )
    estimator: Any = option(
        "mean-return",
        "how a segment is scored, by name",
        f"{UNSAID}; its figures are mean returns",
        check=check_function,
    )
    replay_keep: float = option(0.25, "share of the replay memory kept at a switch", SECONDARY, check=check_fraction)
    replay_keep_which: str = option("newest", "which transitions are kept", UNSAID, choices=("newest", "random"))
    go_back: bool = option(False, "after a bad segment, use the best network", HERE)
    adadqn_networks: int = option(5, "networks of method adadqn", ADADQN, minimum=1, maximum=MAX_NETWORKS)
    adadqn_replace_every: int = option(
        10_000,
        "updates, or steps, between replacements",
        ADADQN,
        minimum=0,
    )
    adadqn_optimizers: tuple[str, ...] = option(
        (),
        "optimizers they choose from",
        HERE,
        choices=tuple(LEARNING_RATES),
        shown="--optimizer",
    )
    adadqn_learning_rates: tuple[float, ...] = option(
        (),
        "range of their learning rates",
        HERE,
        check=_check_rates,
        shown="--learning-rate",
    )
    race_networks: int = option(6, "networks with which method race begins", HERE, minimum=1, maximum=MAX_NETWORKS)
    race_keep: int = option(2, "networks that are left at the end", HERE, minimum=1, maximum=MAX_NETWORKS)
    race_halve_every: int = option(100, "episodes until the worse half is retired", HERE, minimum=1)
    race_window: int = option(10, "latest episodes that make a network's score", HERE, minimum=1)
    race_temperature: float = option(0.5, "temperature of the softmax by which they act", HERE, check=check_positive)
    supernet_paths: int = option(4, "paths that an update trains", SANDWICH, minimum=1, maximum=MAX_NETWORKS)
    supernet_sampling: str = option(
        "sandwich",
        "which paths an update trains",
        SANDWICH,
        choices=SAMPLINGS,
    )
    supernet_distill: bool = option(True, "paths learn the largest one's Q-values", SANDWICH)
    supernet_score_episodes: int = option(20, "greedy episodes of the final ranking", HERE, minimum=1)
    gradient_every: int = option(20, "episodes between steps of the policy", HERE, minimum=1)
    gradient_samples: int = option(4, "paths drawn for a step", HERE, minimum=2, maximum=MAX_NETWORKS)
    gradient_episodes: int = option(5, "greedy episodes of each of them", HERE, minimum=1)
    gradient_rate: float = option(0.5, "size of a step of the policy", HERE, check=check_positive)
    gradient_entropy: float = option(0.01, "weight of the policy's entropy", HERE, minimum=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.space()
        find_method(self.method)
        epsilons = ("controller_epsilon_start", "controller_epsilon_decay", "controller_epsilon_min")
        check_decay(epsilons, *(getattr(self, name) for name in epsilons))
        if self.method == "fixed" and self.architecture is None:
            raise InputError("method fixed needs an architecture; give one, as 3x64-relu")
        if self.method != "fixed" and self.method in METHODS and self.architecture is not None:
            raise InputError(
                f"architecture goes with method fixed; got {self.architecture!r} with {self.method!r}; "
                "drop one of the two"
            )

    def space(self) -> SearchSpace:
        """The search space."""
        if self.architectures is not None:
            layers = SearchSpace(self.architectures)
        else:
            layers = SearchSpace.grid(self.depths, self.widths, self.activations)
        return layers.trained(self.optimizers, self.learning_rates)


@dataclass(frozen=True)
class RewardConfig(Checked):
    """What a controller is told: a score, combined with a cost: ``[reward]``."""

    cost: str | None = option(
        None,
        "cost that joins the score",
        UNSAID,
        choices=MEASURES,
        keyword="reward_cost",
        shown="none",
    )
    form: str = option(
        "additive",
        "how score and cost are combined",
        HERE,
        choices=tuple(FORMS),
        keyword="reward_form",
    )
    weight: float | None = option(
        None,
        "weight of the cost",
        "MnasNet's and TuNAS's",
        minimum=0,
        keyword="reward_weight",
        shown="0.07, or required",
    )
    range: tuple[float, ...] = option(
        (0.0, 1.0),
        "returns that count as 0 and 1",
        HERE,
        check=_check_range,
        keyword="reward_range",
    )
    target: float | None = option(
        None,
        "cost that counts as 1",
        HERE,
        check=check_positive,
        keyword="reward_target",
        shown="the space's largest",
    )
    latencies: str | dict[str, float] | None = option(
        None,
        "seconds by architecture: a JSON file",
        HERE,
        check=check_latencies,
        keyword="reward_latencies",
        shown="measured once",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cost is None:
            for about in options_of(type(self)):
                if (value := getattr(self, about.name)) != about.default:
                    raise OutOfRange(about.name, "left out without {cost}", repr(value), "drop it, or give {cost}")
            return
        if self.latencies is not None and self.cost != "latency":
            raise OutOfRange("latencies", "left out unless {cost} is latency", "a table", "drop it")
        if self.form == "absolute" and self.target is None:
            raise OutOfRange("target", "given with {form} absolute", "none", "say which cost is aimed at")
        if self.form != "multiplicative" and self.weight is None and self.range == (0.0, 1.0):
            hint = "give it in units of return, or give {range}, the returns that count as 0 and 1"
            raise OutOfRange("weight", f"given with {{form}} {self.form}, as no default fits every task", "none", hint)

    @property
    def needs_measuring(self) -> bool:
        """Whether latencies are in the reward, and none are given."""
        return self.cost == "latency" and self.latencies is None

    @property
    def seconds(self) -> Mapping[str, float]:
        """The table of latencies; empty without one."""
        return self.latencies if isinstance(self.latencies, dict) else {}

    @property
    def resolved_weight(self) -> float:
        """The weight, where none is given the default."""
        return DEFAULT_WEIGHT if self.weight is None else self.weight


@dataclass(frozen=True)
class RunConfig(Checked):
    """How much and with which engine: ``[run]``."""

    episodes: int = option(2_000, "episodes of the run", "paper 2.4", minimum=1)
    seed: int = option(
        0,
        "seed of all random streams",
        "the paper has 3 seeds and names none",
        minimum=0,
        maximum=float("inf"),
    )
    profile: str = option("paper", "set of defaults; see `list profiles`", "the paper's own values")
    backend: str = option("native", "compiled engine, or its NumPy twin", HERE, choices=("native", "numpy"))
    checkpoint_every: str = option("30s", "how often to save: 25 (episodes), 30s, never", HERE, check=_check_cadence)
    warm_start: str | None = option(
        None,
        "run directory whose network to start from",
        HERE,
        keyword="from_",
        check=_check_run,
        shown="none",
    )
    evaluate_every: int | None = option(None, "episodes between greedy evaluations", HERE, minimum=1, shown="none")
    evaluate_episodes: int = option(20, "episodes of such an evaluation", HERE, minimum=1)
    evaluate_seed: int | None = option(
        None,
        "seed of the starts of evaluations",
        HERE,
        minimum=0,
        maximum=float("inf"),
        shown="the run's own",
    )
    stop_at_threshold: bool = option(False, "end when the threshold is exceeded", HERE)


@dataclass(frozen=True)
class Config:
    """All settings of a run.

    Args:
        env, agent, search, reward, run: the sections.
        controller, transfer, estimator: options of the plug-ins, by name, as far as they are given; those of the
            paper's controller are ``search.controller_*``.
    """

    env: EnvConfig = field(default_factory=EnvConfig)
    agent: AgentSettings = field(default_factory=AgentSettings)
    search: SearchConfig = field(default_factory=SearchConfig)
    reward: RewardConfig = field(default_factory=RewardConfig)
    run: RunConfig = field(default_factory=RunConfig)
    controller: Mapping[str, Any] = field(default_factory=dict)
    transfer: Mapping[str, Any] = field(default_factory=dict)
    estimator: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in SECTIONS.items():
            if not isinstance(getattr(self, name), kind):
                raise WrongType(name, f"a {kind.__name__}", described(getattr(self, name)))
        for name in ("controller", "transfer", "estimator"):
            table = check_table(name, getattr(self, name), lambda _, value: value, of="options")
            object.__setattr__(self, name, table)

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Section -> key -> value; tables of plug-ins without options are left out."""
        sections = {f.name: getattr(self, f.name) for f in fields(self)}
        values = {name: vars(section) for name, section in sections.items() if name in SECTIONS}
        return {name: dict(table) for name, table in (sections | values).items() if name in SECTIONS or table}

    def as_json(self) -> dict[str, dict[str, Any]]:
        """`as_dict` in the form in which JSON gives it back: a checkpoint's, and an exported network's."""
        plain: dict[str, dict[str, Any]] = json.loads(json.dumps(self.as_dict()))
        return plain


# Table of the TOML file -> class.
SECTIONS: dict[str, type[Any]] = {
    "env": EnvConfig,
    "agent": AgentSettings,
    "search": SearchConfig,
    "reward": RewardConfig,
    "run": RunConfig,
}


def all_settings() -> list[Setting]:
    """Every setting of every section, in order of declaration."""
    return [found for section, kind in SECTIONS.items() for found in settings_of(section, kind)]
