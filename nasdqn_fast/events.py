"""The events of a run, in order, which the trainer reports to log, result, display and listeners."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Choice, Episodes, Proposal, Result, TransferReport


@dataclass(frozen=True)
class Asked:
    """The controller proposed what to train in this segment.

    Args:
        segment: its number, from 1.
        episode: number of its first episode, from 1.
        proposal: what the controller answered.
    """

    segment: int
    episode: int
    proposal: Proposal


@dataclass(frozen=True)
class Transferred:
    """A transfer was made, or refused.

    Args:
        segment: the one that begins.
        old, new: the architectures in use before and after it; the same one if it was refused.
        report: how much was kept, how far Q moved, and what it took.
    """

    segment: int
    old: Architecture
    new: Architecture
    report: TransferReport


@dataclass(frozen=True)
class Folded:
    """A network that was a sum with frozen ones has become one network, or its fold was refused.

    Args:
        segment: the one in progress.
        episode: number of the episode that had ended last.
        architecture: of the network.
        report: how far Q moved, and what it took.
    """

    segment: int
    episode: int
    architecture: Architecture
    report: TransferReport


@dataclass(frozen=True)
class TookOver:
    """The network that learns acts from now on, in the place of the one before the switch.

    Args:
        segment: the one in progress.
        episode: number of the episode that had ended last.
        old, new: the architectures that acted until then, and act now.
        note: why.
    """

    segment: int
    episode: int
    old: Architecture
    new: Architecture
    note: str


@dataclass(frozen=True)
class WentBack:
    """After a segment that was clearly worse, the network of the best segment so far has taken its network's place.

    Args:
        segment: the one that has ended.
        episode: number of its last episode.
        old, new: the architectures in use before and after it.
        note: why.
    """

    segment: int
    episode: int
    old: Architecture
    new: Architecture
    note: str


@dataclass(frozen=True)
class Pruned:
    """The replay memory was pruned at a switch; `before` and `after` are its sizes in transitions."""

    segment: int
    before: int
    after: int


@dataclass(frozen=True)
class PopulationDrawn:
    """The networks of a population were drawn, of which the first is the target at first.

    Args:
        segment: the one that begins.
        candidates: what they are made with, in order.
    """

    segment: int
    candidates: tuple[Architecture, ...]


@dataclass(frozen=True, eq=False)
class TargetChosen:
    """The target of a population has become the copy of another network, or again of the same.

    Args:
        segment: the one in progress.
        episode: number of the episode in progress.
        choice: which network, when, and by which losses.
        architecture: of the network.
    """

    segment: int
    episode: int
    choice: Choice
    architecture: Architecture


@dataclass(frozen=True)
class Raced:
    """The networks of a race were compared: when some are retired, and at the end.

    Args:
        segment, episode: in progress, and the last that has ended.
        updates: of a network that has learned from the beginning.
        scores: number of each network, from 0, that was not retired -> mean of its latest returns.
        retired: numbers of those that are from now on.
        best: number of the network of the highest score.
        architecture: its own.
    """

    segment: int
    episode: int
    updates: int
    scores: Mapping[int, float]
    retired: tuple[int, ...]
    best: int
    architecture: Architecture


@dataclass(frozen=True)
class Replaced:
    """A network of a population has given way to a changed copy of another.

    Args:
        segment, episode: in progress.
        updates: of each network so far.
        network: number of the network, from 0.
        parent: number of the one whose copy has its place.
        old, new: what the two are made with.
    """

    segment: int
    episode: int
    updates: int
    network: int
    parent: int
    old: Architecture
    new: Architecture


@dataclass(frozen=True)
class Played:
    """Episodes ended while `architecture` was in use, in whichever segment they count.

    Of a population, it is that of the network which has acted most often in them.
    """

    architecture: Architecture
    episodes: Episodes


@dataclass(frozen=True, eq=False)
class PolicyMoved:
    """The distribution that a supernet's paths are drawn from took a step.

    Args:
        segment: the one in progress.
        episode: number of the episode that had ended last.
        scores: architectures that were drawn for it, and the mean returns of their greedy episodes.
        episodes: greedy episodes of each.
        steps: environment steps they took, which are none of training's.
        probabilities: after the step, of each part of an architecture, as ``depth 3``.
    """

    segment: int
    episode: int
    scores: Mapping[Architecture, float]
    episodes: int
    steps: int
    probabilities: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Ranked:
    """Every architecture that a supernet contains was scored.

    Args:
        segment: the one in progress.
        episode: number of the episode that had ended last.
        ranking: architectures and the mean returns of their greedy episodes, the best first; of equals in the order
            of the space.
        episodes: greedy episodes of each.
        steps: environment steps they took, which are none of training's.
        network: the network of the one that the search decides for: the best, or, by a policy, the most probable.
    """

    segment: int
    episode: int
    ranking: tuple[tuple[Architecture, float], ...]
    episodes: int
    steps: int
    network: Any


@dataclass(frozen=True)
class Told:
    """A segment ended and the controller was told; `episode` is the number of its last episode."""

    segment: int
    episode: int
    result: Result


@dataclass(frozen=True)
class Evaluated:
    """The greedy policy was evaluated beside training (``evaluate_every``).

    Args:
        episode: number of the episode that had ended last.
        architecture: of the network.
        mean, std, min, max: of the undiscounted returns.
        episodes: how many were played.
        steps: environment steps they took, which are none of training's.
    """

    episode: int
    architecture: Architecture
    mean: float
    std: float
    min: float
    max: float
    episodes: int
    steps: int


@dataclass(frozen=True, eq=False)
class Resumed:
    """The run continues from a checkpoint; the first event of a resumed run.

    Args:
        segment: the one in its course.
        architecture: in use.
        episodes: all that have ended.
    """

    segment: int
    architecture: Architecture
    episodes: Episodes


class Stop(enum.Enum):
    """What a listener returns to end the run early: `STOP`."""

    STOP = enum.auto()


STOP = Stop.STOP

# Of the search: each is a line of architectures.jsonl.
SearchEvent = (
    Asked
    | Transferred
    | Folded
    | TookOver
    | WentBack
    | Pruned
    | PopulationDrawn
    | TargetChosen
    | Replaced
    | Raced
    | PolicyMoved
    | Ranked
    | Told
)
Event = SearchEvent | Played | Evaluated | Resumed
