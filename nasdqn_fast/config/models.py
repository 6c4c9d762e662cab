"""The settings of a run: four frozen sections and the whole.

Every setting carries its default, its help and the source of its default. The TOML file, the
command line, the keywords of `nasdqn_fast.train` and the table in docs/paper.md all follow from
what stands here. "Paper" is Rahmani et al. 2025, arXiv:2510.19872.
"""

from __future__ import annotations

import math
from dataclasses import fields
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from nasdqn_fast.config.checks import (
    check_architecture,
    check_cadence,
    check_numbers,
    check_plugin,
    check_text,
    checked,
    each,
    in_plain_words,
    one_of,
)
from nasdqn_fast.config.methods import METHODS, find_method
from nasdqn_fast.config.settings import Setting, setting, settings_of
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.space import ACTIVATIONS, MAX_DEPTH, MAX_WIDTH, SearchSpace
from nasdqn_fast.validation import (
    check_choice,
    check_decay,
    check_fraction,
    check_int,
    check_positive,
    check_positive_int,
    check_unit_interval,
)

UNSAID = "not given in the paper"
# Algorithm 1 is a picture; this is what the one published account of it says.
SECONDARY = "a secondary account of the paper's Algorithm 1"

Text = Annotated[str, checked(check_text)]
Plugin = Annotated[str, checked(check_plugin)]
Count = Annotated[int, checked(check_positive_int)]
Probability = Annotated[float, checked(check_unit_interval)]
Numbers = Annotated[dict[str, float], checked(check_numbers)]
Structure = Annotated[str, checked(check_architecture)]
Structures = Annotated[tuple[str, ...], checked(each(check_architecture))]
Depths = Annotated[tuple[int, ...], checked(each(partial(check_int, minimum=1, maximum=MAX_DEPTH)))]
Widths = Annotated[tuple[int, ...], checked(each(partial(check_int, minimum=1, maximum=MAX_WIDTH)))]
Activations = Annotated[tuple[str, ...], checked(each(partial(check_choice, valid=ACTIVATIONS)))]


class Section(BaseModel):
    """Common rules: unknown keys are errors, types are not converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class EnvConfig(Section):
    """What is learned: ``[env]``."""

    name: Plugin = setting(
        "inverted-pendulum",
        "environment: a name of `list environments`, or module:attribute",
        "paper 2.1",
        keyword="env",
    )
    start: Text | None = setting(
        None,
        "initial-state distribution, by name",
        f"{UNSAID}; +-0.2 is what its threshold of 150 allows",
        shown="the environment's first: upright for the pendulum",
    )
    params: Numbers = setting(
        {},
        "a parameter of the environment; repeatable",
        "paper 2.1",
        keyword="env_param",
        shown="the environment's",
    )
    max_episode_steps: Count | None = setting(
        None, "steps until an episode is truncated", "paper 2.1.3 (200)", shown="the environment's"
    )


class AgentConfig(Section):
    """How it is learned: ``[agent]``, the keywords of ``DQNAgent``."""

    gamma: float = setting(AgentSettings.gamma, "discount", f"{UNSAID}; usual in the field")
    optimizer: Literal["sgd", "adam"] = setting(AgentSettings.optimizer, "update rule of the weights", "paper 2.2.3")
    learning_rate: float | None = setting(
        None, "learning rate", f"{UNSAID}; adam's is CleanRL's", shown="0.001 with sgd, 0.00025 with adam"
    )
    gradient_clip: float = setting(AgentSettings.gradient_clip, "bound of every element of the gradient", "paper 2.2.3")
    huber_delta: float = setting(AgentSettings.huber_delta, "where the Huber loss turns linear", "paper 2.2.3")
    batch_size: int = setting(AgentSettings.batch_size, "transitions in a minibatch", UNSAID)
    updates_per_step: int = setting(AgentSettings.updates_per_step, "updates for each environment step", UNSAID)
    replay_capacity: int = setting(AgentSettings.replay_capacity, "transitions kept", UNSAID)
    warm_up: int = setting(AgentSettings.warm_up, "environment steps before the first update", UNSAID)
    target_every: int = setting(AgentSettings.target_every, "updates between copies to the target network", UNSAID)
    policy_epsilon_start: float = setting(
        AgentSettings.policy_epsilon_start, "probability of a random action in the first episode", UNSAID
    )
    policy_epsilon_decay: float = setting(
        AgentSettings.policy_epsilon_decay, "factor of that probability from episode to episode", UNSAID
    )
    policy_epsilon_end: float = setting(AgentSettings.policy_epsilon_end, "its lowest value over the episodes", UNSAID)
    horizon_is: Literal["terminal", "truncated"] = setting(
        AgentSettings.horizon_is, "what the time limit is to the target: y = r, or bootstrapped", "paper 2.1.3, 2.3.1"
    )
    num_envs: int = setting(AgentSettings.num_envs, "environments stepped in lockstep", UNSAID)

    @model_validator(mode="before")
    @classmethod
    def _check(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The engine's own checks, before pydantic's; unknown keys are left to those."""
        given = {field.name: values[field.name] for field in fields(AgentSettings) if field.name in values}
        settings = in_plain_words(lambda: AgentSettings(**given))
        return values | {key: getattr(settings, key) for key in given}

    def settings(self) -> AgentSettings:
        """The same as the engine has them."""
        return AgentSettings(**self.model_dump())


class SearchConfig(Section):
    """What is trained when: ``[search]``."""

    method: Plugin = setting(
        "random-nas", "a name of `list methods`, or module:attribute of a controller", "paper 2.4.1"
    )
    architecture: Structure | None = setting(
        None, "the architecture of method fixed, as 3x64-relu or 64,32-tanh", "paper 2.2", shown="none"
    )
    depths: Depths = setting((2, 3, 4), "hidden layers to choose from", "paper 2.3.2")
    widths: Widths = setting((32, 64, 128), "units a layer to choose from", "paper 2.3.2")
    activations: Activations = setting(("relu", "tanh", "leaky_relu"), "activations to choose from", "paper 2.3.2")
    architectures: Structures | None = setting(
        None,
        "the search space as a list; replaces depths x widths x activations",
        "paper 2.3.2",
        shown="none",
    )
    switch_every: Count = setting(200, "episodes of a segment, M", "paper 2.4.1")
    controller_epsilon_start: Probability = setting(1.0, "probability of a uniform choice at the first switch", UNSAID)
    controller_epsilon_decay: Probability = setting(
        0.95, "factor of that probability from switch to switch", "paper 2.3.2"
    )
    controller_epsilon_min: Probability = setting(0.1, "its lowest value over the switches", UNSAID)
    controller_temperature: Annotated[float, checked(check_positive)] = setting(
        1.5, "temperature of the softmax over scores", "paper 2.3.2"
    )
    controller_buffer: Count = setting(5, "best architectures remembered", UNSAID)
    controller_score_kept: Annotated[Literal["best", "every-visit"], one_of("best", "every-visit")] = setting(
        "best", "scores remembered of an architecture: its best, or one a visit", UNSAID
    )
    transfer: Plugin = setting(
        "matching",
        "how weights cross a switch: a name of `list transfers`, or module:attribute",
        f"{SECONDARY}; the paper's 3.3 says re-initializing",
    )
    estimator: Plugin = setting(
        "mean-return",
        "what a segment is worth to the controller: a name of `list estimators`, or module:attribute",
        f"{UNSAID}; its figures are mean returns",
    )
    replay_keep: Annotated[float, checked(check_fraction)] = setting(
        0.25, "share of the replay memory kept at a switch", SECONDARY
    )
    replay_keep_which: Annotated[Literal["newest", "random"], one_of("newest", "random")] = setting(
        "newest", "which transitions are kept", UNSAID
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.space()
        find_method(self.method)
        epsilons = ("controller_epsilon_start", "controller_epsilon_decay", "controller_epsilon_min")
        check_decay(epsilons, *(getattr(self, name) for name in epsilons))
        if self.method == "fixed" and self.architecture is None:
            raise ValueError("method fixed needs an architecture; give one, as 3x64-relu")
        if self.method != "fixed" and self.method in METHODS and self.architecture is not None:
            raise ValueError(
                f"architecture goes with method fixed; got {self.architecture!r} with {self.method!r}; "
                "drop one of the two"
            )
        return self

    def space(self) -> SearchSpace:
        """The search space."""
        if self.architectures is not None:
            return SearchSpace(self.architectures)
        return SearchSpace.grid(self.depths, self.widths, self.activations)


class RunConfig(Section):
    """How much and with which engine: ``[run]``."""

    episodes: Count = setting(2_000, "episodes", "paper 2.4")
    seed: Annotated[int, checked(partial(check_int, minimum=0, maximum=math.inf))] = setting(
        0, "seed of all random streams", "the paper has 3 seeds and names none"
    )
    profile: Text = setting("paper", "set of defaults: a name of `list profiles`", "the paper's own values")
    backend: Annotated[Literal["native", "numpy"], one_of("native", "numpy")] = setting(
        "native", "engine: compiled, or plain NumPy", "this package"
    )
    checkpoint_every: Annotated[str, checked(check_cadence)] = setting(
        "30s", "how often the run is saved: 25 (episodes), 30s or never", "this package"
    )


class Config(Section):
    """All settings of a run."""

    env: EnvConfig = EnvConfig()
    agent: AgentConfig = AgentConfig()
    search: SearchConfig = SearchConfig()
    run: RunConfig = RunConfig()


def all_settings() -> list[Setting]:
    """Every setting of every section, in order of declaration."""
    sections: dict[str, type[Section]] = {
        "env": EnvConfig,
        "agent": AgentConfig,
        "search": SearchConfig,
        "run": RunConfig,
    }
    return [found for section, model in sections.items() for found in settings_of(section, model)]
