"""What a study consists of: tasks x methods x a grid of settings x seeds."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

FORMAT = 1
JOIN = "+"  # between a name and the settings of its own: nas-dqn+search.transfer=fresh


@dataclass(frozen=True)
class Trial:
    """One run of a study.

    Args:
        task: the environment, with settings of its own if it has any.
        method: the method, with settings of its own if it has any.
        label: the method with the values of the grid, as ``nas-dqn+search.controller_epsilon_start=0.3``.
        seed: of all random streams.
        path: the run directory; it may not exist yet.
    """

    task: str
    method: str
    label: str
    seed: int
    path: str

    @property
    def name(self) -> str:
        """Task, label and seed, as in the path below ``trials/``."""
        return f"{folder_name(self.task)}/{folder_name(self.label)}/{self.seed}"

    def shard(self, shards: int) -> int:
        """Which of so many shards it belongs to, from 0; it stays there when a study gets more seeds or methods."""
        return zlib.crc32(self.name.encode()) % shards


@dataclass(frozen=True)
class Look:
    """A decision on the number of seeds.

    Args:
        date: when, in UTC, as ISO 8601 writes it.
        seeds: method -> seeds planned from then on.
    """

    date: str
    seeds: Mapping[str, int]


@dataclass(frozen=True)
class Plan:
    """All that a study is to consist of.

    Args:
        tasks: environments, each a name and perhaps settings: ``inverted-pendulum+env.start=hanging``.
        methods: method -> its labels, one for each point of the grid.
        grid: setting, as ``agent.learning_rate`` -> values.
        profile: set of defaults.
        episodes: of each trial.
        first_seed: the trials of a method have this seed and those that follow, the same for all methods.
        looks: the decisions on the number of seeds; the first was made before the first trial.
        settings: every setting that was given for all trials, by keyword.
        config: all settings of the first task and label but the seed, by section: defaults included.
    """

    tasks: tuple[str, ...]
    methods: Mapping[str, tuple[str, ...]]
    grid: Mapping[str, tuple[Any, ...]]
    profile: str
    episodes: int
    first_seed: int
    looks: tuple[Look, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seeds(self) -> Mapping[str, int]:
        """Method -> seeds planned now."""
        return self.looks[-1].seeds

    @property
    def labels(self) -> dict[str, str]:
        """Label -> its method, in order."""
        return {label: method for method, labels in self.methods.items() for label in labels}

    def __len__(self) -> int:
        """Trials."""
        return len(self.tasks) * sum(self.seeds[method] * len(labels) for method, labels in self.methods.items())

    def names(self) -> Iterator[tuple[str, str, str, int]]:
        """Task, method, label and seed of every trial; seed by seed, so that methods advance together."""
        for index in range(max(self.seeds.values(), default=0)):
            for task, (label, method) in itertools.product(self.tasks, self.labels.items()):
                if index < self.seeds[method]:
                    yield task, method, label, self.first_seed + index

    def as_json(self) -> dict[str, Any]:
        """The content of ``study.json``."""
        return {
            "format": FORMAT,
            "tasks": list(self.tasks),
            "methods": {method: list(labels) for method, labels in self.methods.items()},
            "grid": {setting: list(values) for setting, values in self.grid.items()},
            "profile": self.profile,
            "episodes": self.episodes,
            "first_seed": self.first_seed,
            "seeds": dict(self.seeds),
            "looks": [{"date": look.date, "seeds": dict(look.seeds)} for look in self.looks],
            "settings": dict(self.settings),
            "config": dict(self.config),
        }

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Self:
        """The plan in ``study.json``.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        return cls(
            tasks=tuple(values["tasks"]),
            methods={method: tuple(labels) for method, labels in values["methods"].items()},
            grid={setting: tuple(_fixed(point) for point in points) for setting, points in values["grid"].items()},
            profile=values["profile"],
            episodes=values["episodes"],
            first_seed=values["first_seed"],
            looks=tuple(Look(look["date"], look["seeds"]) for look in values["looks"]),
            settings=values["settings"],
            config=values["config"],
        )


def label_of(method: str, settings: Sequence[str], values: Sequence[Any]) -> str:
    """The label of a method at a point of the grid."""
    pairs = (f"{setting}={text_of(value)}" for setting, value in zip(settings, values, strict=True))
    return JOIN.join([method, *pairs])


def text_of(value: Any) -> str:
    """A value as the command line writes it."""
    if isinstance(value, (list, tuple)):
        return ",".join(map(text_of, value))
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def folder_name(text: str) -> str:
    """A task or a label as the name of a folder; different ones have different names."""
    return quote(text, safe="+=,:@~ ")


def _fixed(value: Any) -> Any:
    """A value of JSON as a plan has it."""
    return tuple(value) if isinstance(value, list) else value
