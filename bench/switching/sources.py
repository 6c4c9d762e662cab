"""The trained agents from which switches are made, and how one switch is made."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nasdqn_fast import envs
from nasdqn_fast.engine import DQNAgent
from nasdqn_fast.search.greedy import GreedyEpisodes
from nasdqn_fast.search.learning import LearningAside
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.study.table.tasks import LEARNER, Task
from nasdqn_fast.transfers import base

TASKS = ("upright", "uniform", "hanging")  # of the table's: those whose optimum is known
SPACE = SearchSpace.paper()
CLASSES = ("widen", "deepen", "narrow", "shorten", "activation", "mixed")
# `distill` uses net2net where that is exact; `distill-inexact` is its fit, of every pair.
TRANSFERS: dict[str, tuple[str, dict[str, Any]]] = {
    "fresh": ("fresh", {}),
    "matching": ("matching", {}),
    "overlap": ("overlap", {}),
    "net2net": ("net2net", {}),
    "distill": ("distill", {}),
    "distill-inexact": ("distill", {"exact": False}),
    "inject": ("inject", {}),
}


def change(old: Architecture, new: Architecture) -> str:
    """The class of a change: of CLASSES."""
    depth, width = new.depth - old.depth, new.widths[0] - old.widths[0]
    changed = [bool(depth), bool(width), new.activation != old.activation]
    if sum(changed) > 1:
        return "mixed"
    if depth:
        return "deepen" if depth > 0 else "shorten"
    if width:
        return "widen" if width > 0 else "narrow"
    return "activation"


def pairs() -> Iterator[tuple[str, Architecture, Architecture]]:
    """Class, old and new architecture of all 702 changes."""
    for old, new in itertools.permutations(SPACE, 2):
        yield change(old, new), old, new


def environment(task: str) -> Any:
    settings = dict(Task.parse(task).settings)
    del settings["optimizer"]
    return envs.make(settings.pop("env"), **settings)


def agent(task: str, architecture: Architecture, seed: int) -> DQNAgent:
    """An untrained agent that learns as the table's do."""
    optimizer = Task.parse(task).settings["optimizer"]
    return DQNAgent(environment(task), architecture, rng=seed, optimizer=optimizer, **LEARNER)


def greedy_episodes(task: str, n: int) -> int:
    """n, or one where all episodes have the same start and so the same return."""
    return 1 if task == "hanging" else n


@dataclass(frozen=True)
class Switched:
    """An agent that has made a switch.

    Attributes:
        agent: a copy of the source's.
        seconds: processor time of the transfer.
        fold_at: environment steps at which the new network, a sum, is folded; None: it is no sum.
    """

    agent: DQNAgent
    seconds: float
    fold_at: int | None


class Source:
    """A trained agent, and its greedy return from fixed starts.

    Args:
        trained: stays as it is.
        seed: of the starts and of what a transfer draws.
        greedy: episodes.
    """

    def __init__(self, trained: DQNAgent, seed: int, greedy: int) -> None:
        self.trained, self.seed = trained, seed
        self._play = GreedyEpisodes(trained, lambda i: np.random.default_rng([seed, i])).play
        self._n = greedy

    @cached_property
    def greedy(self) -> float:
        """Mean greedy return."""
        return self.played(self.trained.network)

    def played(self, network: Any) -> float:
        """Mean greedy return of another network from the same starts."""
        return float(self._play(network, self._n).returns.mean())

    def copy(self) -> DQNAgent:
        return copy.deepcopy(self.trained)

    def transferred(self, to: Architecture, transfer: str) -> tuple[base.Carried, float]:
        """What one of TRANSFERS makes of the network with the whole memory, and the processor time of it."""
        return self._carried(self.trained, to, transfer)

    def switch(self, to: Architecture, transfer: str) -> Switched:
        """A copy of the agent that has gone over to another architecture by one of TRANSFERS."""
        carried, seconds = self.transferred(to, transfer)
        learner = self.copy()
        learner.switch_network(carried.network, carried.optimizer)
        return Switched(learner, seconds, learner.steps + carried.fold_after if carried.fold_after else None)

    def run(self, switched: Switched, transfer: str, episodes: int) -> tuple[np.ndarray, float]:
        """Training after a switch, in which a sum is folded, at the latest at the end.

        Returns:
            returns of the episodes, and processor time of the fold.
        """
        agent, fold_at = switched.agent, switched.fold_at
        returns: list[float] = []
        while fold_at is not None and len(returns) < episodes and agent.steps < fold_at:
            returns.extend(agent.run_episodes(1).returns)
        seconds = 0.0
        if fold_at is not None:
            folded, seconds = self._carried(agent, agent.network.architecture, transfer)
            agent.switch_network(folded.network, folded.optimizer)
        if len(returns) < episodes:
            returns.extend(agent.run_episodes(episodes - len(returns)).returns)
        return np.array(returns), seconds

    def _carried(self, agent: DQNAgent, to: Architecture, transfer: str) -> tuple[base.Carried, float]:
        """What a transfer makes of an agent's network, and the processor time that it takes."""
        name, options = TRANSFERS[transfer]
        learning = LearningAside(agent, np.random.default_rng(self.seed))
        start = time.process_time()
        switch = base.Switch(
            old=agent.network,
            architecture=to,
            rng=np.random.default_rng(self.seed),
            replay=agent.replay,
            target=agent.target,
            optimizer=agent.optimizer.get_state(),
            settings=agent.settings,
            play=self._play,
            learn=learning.learn,
        )
        carried, _ = base.apply(base.make(name, options), switch)
        return carried, time.process_time() - start
