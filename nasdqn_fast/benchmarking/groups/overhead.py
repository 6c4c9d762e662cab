"""What searching costs: its share of the wall time, and its time per FLOP against fixed runs. Takes minutes.

"Negligible overhead" is a claim of Rahmani et al. 2025 (arXiv:2510.19872). A searching run takes turns
with fixed runs of the architectures that it chooses: the search plays an episode, then the fixed run of the same
architecture does. All use the same trainer and the paper's profile, except for three things, so that both sides
of a pair do the same arithmetic: exploration is constant, because a step that explores has no forward pass; there is no
warm-up, because every step then learns; and a segment's fixed run begins it with the searching run's replay memory,
because the emptier a memory is, the more target values are found kept and need no forward pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nasdqn_fast.benchmarking import intervals
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.measure import Repeat, disturbances, kept
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import EPSILON
from nasdqn_fast.config import resolve
from nasdqn_fast.engine.protocol import Replay
from nasdqn_fast.events import Played
from nasdqn_fast.run.assembly import make_environment, make_trainer

ON_REQUEST = True
GROUP = "overhead"
METHODS = ("random-nas", "nas-dqn")
SEARCH = ("controller", "transfer", "prune", "estimator")


def figures(session: Session, episodes: int = 2_000, switch_every: int = 200) -> list[Figure]:
    """Two figures a method, over whole runs however many seconds the session has.

    Args:
        session: its stopwatch is used.
        episodes: of each run.
        switch_every: episodes of a segment.
    """
    rows = []
    for method in METHODS:
        rows += _figures(session, method, compare(session, method, episodes, switch_every))
    return rows


@dataclass(frozen=True)
class Comparison:
    """A searching run beside its fixed runs.

    Args:
        searching, fixed: the same episodes of both sides, in pairs.
        search_seconds: what controller, transfer, pruning and estimator took of the searching run.
    """

    searching: list[Repeat]
    fixed: list[Repeat]
    search_seconds: float

    @property
    def share(self) -> float:
        """Of the searching run's wall time that the search took."""
        return self.search_seconds / sum(repeat.seconds for repeat in self.searching)


def compare(session: Session, method: str, episodes: int, switch_every: int) -> Comparison:
    """Plays the run of a method and its fixed runs in turn."""
    search, runs = _Run(episodes, switch_every, method=method), {}
    pairs: list[tuple[Repeat, Repeat]] = []
    for episode in range(episodes):
        searching = session.stopwatch.time(search.play_episode)
        if search.architecture not in runs:
            runs[search.architecture] = _Run(episodes, switch_every, "fixed", str(search.architecture))
        fixed = runs[search.architecture]
        if episode % switch_every == 0:
            fixed.copy_memory(search)
        pairs.append((searching, session.stopwatch.time(fixed.play_episode)))
    first, second = zip(*pairs, strict=True)
    return Comparison(list(first), list(second), sum(search.seconds.get(purpose, 0.0) for purpose in SEARCH))


def _figures(session: Session, method: str, comparison: Comparison) -> list[Figure]:
    sides = comparison.searching, comparison.fixed
    judged = np.maximum(*(disturbances(side, session.stopwatch.fastest) for side in sides))
    seconds = np.array([[repeat.seconds for repeat in side] for side in sides]).T[kept(judged)]
    # The arithmetic of a pair is the same, so the ratio of times is that of times per FLOP.
    ratio = float(seconds[:, 0].sum() / seconds[:, 1].sum())
    share = 100 * comparison.share
    return [
        Figure(GROUP, f"{method}: controller, transfer, pruning of all", Unit.SHARE, share, share, share),
        Figure(
            GROUP,
            f"{method}: time per FLOP, searching : fixed",
            Unit.RATIO,
            ratio,
            *intervals.ratio_of_sums(seconds),
            repeats=len(judged),
            disturbed=int(np.count_nonzero(judged > 1)),
        ),
    ]


class _Run:
    """A training run, one episode at a time."""

    def __init__(self, episodes: int, switch_every: int, method: str, architecture: str | None = None) -> None:
        options = {"method": method, "architecture": architecture, "episodes": episodes, "switch_every": switch_every}
        constant = {"policy_epsilon_start": EPSILON, "policy_epsilon_end": EPSILON, "warm_up": 0}
        config = resolve(None, options | constant)
        self._trainer = make_trainer(config, make_environment(config))
        self._played = self._played_events()
        self.architecture = self._trainer.proposal.architecture

    @property
    def seconds(self) -> dict[str, float]:
        """Wall time by purpose."""
        return self._trainer.clock.seconds

    @property
    def replay(self) -> Replay:
        """The memory that it learns from."""
        return self._trainer.agent.replay

    def copy_memory(self, other: _Run) -> None:
        """Continues with the transitions of another run, in place of its own."""
        self.replay.set_state(other.replay.get_state())

    def play_episode(self) -> None:
        """Goes on until an episode has ended, over a switch if one is due."""
        self.architecture = next(self._played).architecture

    def _played_events(self) -> Iterator[Played]:
        return (event for event in self._trainer.run() if isinstance(event, Played))
