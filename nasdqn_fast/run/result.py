"""The result of a run, and the recorder that collects it from the trainer's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from nasdqn_fast.config import Config
from nasdqn_fast.envs import AnyEnvironment
from nasdqn_fast.events import Asked, Evaluated, Event, Played, Raced, Ranked, TargetChosen, Told, Transferred
from nasdqn_fast.metrics import RunMetrics, area_under_curve, final_regret, run_metrics
from nasdqn_fast.space import Architecture, parse_setup
from nasdqn_fast.types import Cost, Episodes, TransferReport


@dataclass(frozen=True)
class Segment:
    """The episodes between two switches.

    Args:
        architecture: what was trained; of a population, the target's at the end.
        reason: why the controller chose it.
        first, last: its first and last episode, counted from 1.
        score: what the controller was told; None if the run ended before.
        transfer: what the switch to it did; None where the network was kept, or new.
        cost: what it used up; None if the run ended before, or was resumed after it from a state without costs.
    """

    architecture: Architecture
    reason: str
    first: int
    last: int
    score: float | None = None
    transfer: TransferReport | None = None
    cost: Cost | None = None

    def get_state(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"architecture": str(self.architecture)}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Self:
        """The segment that gave this state; earlier versions saved no cost."""
        transfer = state["transfer"] and TransferReport(**state["transfer"])
        cost = Cost(**state["cost"]) if state.get("cost") else None
        architecture = parse_setup(state["architecture"])
        return cls(**{**state, "architecture": architecture, "transfer": transfer, "cost": cost})


@dataclass(frozen=True)
class Times:
    """Wall time in seconds; `total` holds the others, and compiling, writing and showing besides."""

    total: float
    train: float = 0.0
    controller: float = 0.0
    transfer: float = 0.0
    prune: float = 0.0
    estimator: float = 0.0
    evaluation: float = 0.0

    @property
    def search_share(self) -> float:
        """Share of the total that the search cost: controller, transfer, pruning and estimator."""
        return (self.controller + self.transfer + self.prune + self.estimator) / self.total


@dataclass(frozen=True, eq=False)
class RunResult:
    """A run, finished or not.

    Args:
        config: every setting.
        environment: the environment with its parameters, defaults included.
        status: ``finished``, ``interrupted``, or ``stopped: ...`` or ``failed: ...`` with the reason.
        episodes: what each episode gave, as arrays.
        segments: the segments in order.
        network: the final ``QNetwork``.
        times: wall times.
        optimum: best possible mean return of the environment, where it is known.
        out: the run directory, if one was written.
        evaluations: of the greedy policy, beside training, in order.
        best_network: the network of `best_evaluation`, or, of a supernet, of what its search decided for; None without
            any.
        ranking: of a supernet, architectures and their mean greedy returns at the end, the best first.
    """

    config: Config
    environment: AnyEnvironment
    status: str
    episodes: Episodes
    segments: tuple[Segment, ...]
    network: Any
    times: Times
    optimum: float | None = None
    out: Path | None = None
    evaluations: tuple[Evaluated, ...] = ()
    best_network: Any = None
    ranking: tuple[tuple[Architecture, float], ...] = ()

    @property
    def best_evaluation(self) -> Evaluated | None:
        """The evaluation with the highest mean return, the first of equals; None without any."""
        return max(self.evaluations, key=lambda evaluation: evaluation.mean, default=None)

    @property
    def metrics(self) -> RunMetrics | None:
        """The paper's four metrics; None if no episode ended."""
        threshold = self.environment.kernel.threshold
        return run_metrics(self.episodes.returns, threshold) if len(self.episodes) else None

    @property
    def mean_return(self) -> float | None:
        """Mean return over all episodes (area under the learning curve); None if no episode ended."""
        return area_under_curve(self.episodes.returns) if len(self.episodes) else None

    @property
    def final_regret(self) -> float | None:
        """Optimum minus the mean of the last 100 returns; None where the optimum is not known."""
        if self.optimum is None or not len(self.episodes):
            return None
        return final_regret(self.episodes.returns, self.optimum)

    @property
    def mean_regret(self) -> float | None:
        """Optimum minus the mean of all returns; None where the optimum is not known."""
        if self.optimum is None or self.mean_return is None:
            return None
        return self.optimum - self.mean_return


class Recorder:
    """Gathers events into episodes, segments, evaluations and a ranking."""

    def __init__(self) -> None:
        self._episodes: list[Episodes] = []
        self._ended: list[Segment] = []
        self._current: Segment | None = None
        self.evaluations: list[Evaluated] = []
        self.ranking: tuple[tuple[Architecture, float], ...] = ()

    def __call__(self, event: Event) -> None:
        match event, self._current:
            case Asked(_, episode, proposal), None:
                self._current = Segment(proposal.architecture, proposal.reason, episode, episode - 1)
            case Transferred(), Segment() as current:
                self._current = replace(current, architecture=event.new, transfer=event.report)
            case TargetChosen() | Raced(), Segment() as current:
                self._current = replace(current, architecture=event.architecture)
            case Played(), Segment() as current:
                self._episodes.append(event.episodes)
                self._current = replace(current, last=current.last + len(event.episodes))
            case Told(), Segment() as current:
                self._ended.append(replace(current, score=event.result.score, cost=event.result.cost))
                self._current = None
            case Evaluated(), _:
                self.evaluations.append(event)
            case Ranked(), _:
                self.ranking = event.ranking

    def episodes(self) -> Episodes:
        """All episodes so far."""
        if not self._episodes:
            return Episodes(np.empty(0), np.empty(0, np.int64), np.empty(0), np.empty(0))
        # Joined once, for checkpoints ask again and again.
        arrays = {f.name: np.concatenate([getattr(e, f.name) for e in self._episodes]) for f in fields(Episodes)}
        self._episodes = [Episodes(**arrays)]
        return self._episodes[0]

    def segments(self) -> tuple[Segment, ...]:
        """All segments so far; one that was cut short has no score."""
        current = self._current
        if current is None or current.last < current.first:
            return tuple(self._ended)
        return (*self._ended, current)

    def get_state(self) -> dict[str, Any]:
        """The state that `set_state` restores: plain JSON values and arrays."""
        return {
            "episodes": vars(self.episodes()),
            "ended": [segment.get_state() for segment in self._ended],
            "current": self._current and self._current.get_state(),
            "evaluations": [asdict(event) | {"architecture": str(event.architecture)} for event in self.evaluations],
            "ranking": [[str(architecture), score] for architecture, score in self.ranking],
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state`."""
        episodes = Episodes(**state["episodes"])
        self._episodes = [episodes] if len(episodes) else []
        self._ended = [Segment.of_state(segment) for segment in state["ended"]]
        self._current = state["current"] and Segment.of_state(state["current"])
        self.evaluations = [  # which earlier versions did not have
            Evaluated(**{**values, "architecture": Architecture.parse(values["architecture"])})
            for values in state.get("evaluations", [])
        ]
        self.ranking = tuple((Architecture.parse(text), score) for text, score in state.get("ranking", []))
