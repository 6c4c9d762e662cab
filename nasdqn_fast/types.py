"""Frozen records that several rooms share.

Records with arrays have no ``==`` (eq=False): of arrays it has no single answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from nasdqn_fast.space import Architecture, parse_setup
from nasdqn_fast.validation import check_bool, check_positive_int


@dataclass(frozen=True)
class Proposal:
    """A controller's answer to ``ask``.

    Args:
        architecture: what to train next, a Setup if it says how; the text form is taken, too.
        reason: one word for the log, e.g. ``explore``.
        budget: episodes to train it for; None leaves it to the run (``switch_every``),
            `WHOLE_RUN` asks for all that are left.
        source: number, from 1, of a finished trial whose network to continue from; None continues as the search
            does by itself. The online search, which has one network, refuses any other.
        fresh: begin with initial weights, whatever the transfer, and also if the architecture is the one in use.

    Raises:
        TypeError, ValueError: no architecture, a reason that is no string, a source that is no such number, or a
            `fresh` that is no bool.
    """

    architecture: Architecture
    reason: str
    budget: int | None = None
    source: int | None = None
    fresh: bool = False

    def __post_init__(self) -> None:
        # A text would never equal the architecture in use, and every self-switch would be a transfer.
        object.__setattr__(self, "architecture", parse_setup(self.architecture))
        if not isinstance(self.reason, str):
            raise TypeError(f"reason must be a string; got {type(self.reason).__name__}; pass one word for the log")
        if self.source is not None:
            object.__setattr__(self, "source", check_positive_int("source", self.source))
        check_bool("fresh", self.fresh)

    def get_state(self) -> dict[str, Any]:
        """Plain JSON values, of which ``Proposal(**state)`` makes an equal one."""
        return vars(self) | {"architecture": str(self.architecture)}


WHOLE_RUN = 2**60


@dataclass(frozen=True, eq=False)
class Choice:
    """A choice of the target of a population.

    Args:
        updates: of each network, when it was made.
        chosen: number of the network, from 0, whose copy the target has become.
        losses: float64 (K,), of each network: mean over the updates since the last choice of half the mean squared TD
            error.
    """

    updates: int
    chosen: int
    losses: np.ndarray


@dataclass(frozen=True)
class Cost:
    """The cost of a segment, in counts; wall time would make two runs of one seed differ.

    Args:
        steps: environment steps: of training, of its transfer, and of episodes played to estimate its score.
        updates: updates of a network: of training, and of its transfer. Of a population, those of all its networks.
        parameters: weights and biases of the architecture that was trained; of a population, of all its networks; of a
            supernet, of the shared layers.
        flop: textbook operations of one forward pass a step and one Double-DQN update an update, of that architecture;
            of a supernet, of the paths that an update trains.
    """

    steps: int
    updates: int
    parameters: int
    flop: int

    def __add__(self, other: Cost) -> Cost:
        """That of both, of one architecture."""
        return Cost(self.steps + other.steps, self.updates + other.updates, self.parameters, self.flop + other.flop)

    def __sub__(self, other: Cost) -> Cost:
        """That of what has been trained since, of one architecture."""
        return Cost(self.steps - other.steps, self.updates - other.updates, self.parameters, self.flop - other.flop)


@dataclass(frozen=True, eq=False)
class Result:
    """What `tell` passes to a controller about a segment.

    Args:
        proposal: what it had asked for.
        architecture: what was really trained: a transfer may alter or refuse a switch.
        score: what the segment was worth, in units of return; with ``reward_cost``, the cost in it.
        returns: float64 (episodes,), undiscounted return of each episode that counts in the segment: with one
            environment those that ended in it, with several those that began in it.
        cost: what the segment used up.
        accepted: False if the switch was refused.
        estimate: of a score with a cost in it, what the estimator gave; None if that is the score.
    """

    proposal: Proposal
    architecture: Architecture
    score: float
    returns: np.ndarray
    cost: Cost
    accepted: bool = True
    estimate: float | None = None


@dataclass(frozen=True, eq=False)
class Episodes:
    """Finished episodes in order of ending (then of environment index).

    Args:
        returns: float64 (n,), undiscounted sums of rewards.
        lengths: int64 (n,), steps.
        losses: float64 (n,), mean loss of the episode's updates; NaN where there was none.
        epsilons: float64 (n,), exploration probability the episode was played with.
    """

    returns: np.ndarray
    lengths: np.ndarray
    losses: np.ndarray
    epsilons: np.ndarray

    def __len__(self) -> int:
        return len(self.returns)


@dataclass(frozen=True, eq=False)
class Batch:
    """Transitions (s, a, r, s', terminated, truncated), n of them.

    Args:
        observations, next_observations: float32 (n, observation_size).
        actions: int64 (n,).
        rewards: float32 (n,).
        terminated, truncated: bool (n,).
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    next_observations: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray

    def __len__(self) -> int:
        return len(self.actions)

    @classmethod
    def empty(cls, n: int, observation_size: int, dtype: DTypeLike = np.float32) -> Self:
        """Arrays for n transitions, to be written to; dtype: of observations and rewards."""
        shape = n, observation_size
        return cls(
            observations=np.empty(shape, dtype),
            actions=np.empty(n, np.int64),
            rewards=np.empty(n, dtype),
            next_observations=np.empty(shape, dtype),
            terminated=np.empty(n, bool),
            truncated=np.empty(n, bool),
        )


@dataclass(frozen=True, eq=False)
class PrioritizedBatch:
    """Transitions drawn by their priorities, n of them (Schaul et al. 2016, arXiv:1511.05952).

    Args:
        transitions: the transitions.
        slots: int64 (n,), where they are in the memory, by which their priorities are set.
        weights: float32 (n,), importance-sampling weights, the largest of them 1.
    """

    transitions: Batch
    slots: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.slots)


@dataclass(frozen=True)
class TransferReport:
    """How a transfer changed the network.

    Args:
        kept: share of the new network's parameters, in [0, 1], that equal the old one's at the same
            place of a paired layer.
        q_change_mean, q_change_max: mean and largest |Q_new - Q_old| over actions and up to 128
            replay states, in units of return; None if the replay memory is empty.
        accepted: False if the transfer refused the switch, and the old network stayed.
        steps: environment steps the transfer spent.
        updates: updates it spent.
        note: what it has to say; empty if nothing.
    """

    kept: float
    q_change_mean: float | None
    q_change_max: float | None
    accepted: bool = True
    steps: int = 0
    updates: int = 0
    note: str = ""
