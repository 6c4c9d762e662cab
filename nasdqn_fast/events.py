"""What happens in a run, in order: the trainer tells it, the log, the result and the screen listen."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Episodes, Proposal, Result, TransferReport


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
class Pruned:
    """The replay memory was pruned at a switch; `before` and `after` are its sizes in transitions."""

    segment: int
    before: int
    after: int


@dataclass(frozen=True)
class Played:
    """Episodes ended while `architecture` was in use, in whichever segment they count."""

    architecture: Architecture
    episodes: Episodes


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
    """The run goes on where an earlier process left it; comes first.

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

Event = Asked | Transferred | Pruned | Played | Told | Evaluated | Resumed
