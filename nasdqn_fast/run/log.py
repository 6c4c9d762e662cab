"""The run directory, written while the run goes on. docs/run_directory.md describes its files."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.events import (
    Asked,
    Evaluated,
    Event,
    Folded,
    Played,
    PolicyMoved,
    PopulationDrawn,
    Pruned,
    Raced,
    Ranked,
    Replaced,
    Resumed,
    SearchEvent,
    TargetChosen,
    Told,
    TookOver,
    Transferred,
    WentBack,
)
from nasdqn_fast.run.directory import ARCHITECTURES, BEST_NETWORK, EPISODES, EVALUATIONS, NETWORK, SUMMARY
from nasdqn_fast.run.provenance import build_facts
from nasdqn_fast.run.result import RunResult
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.storage.line_file import LineFile
from nasdqn_fast.types import Episodes, TransferReport

FORMAT = 1


class RunLog:
    """Writes the events of a run as lines of files in its directory. Called with every event, closed with the result.

    Lines are written as things happen, so that a run that is killed leaves what it had; the other
    files are whole or absent.

    Args:
        out: the directory.
        state: of `get_state`, to continue from there, after `cut`; None begins new files.
        evaluations: whether the run has any, which have a file of their own.

    Raises:
        DamageError: the files are not as they were when the state was saved.
        OSError: they cannot be written, or are there already.
    """

    def __init__(self, out: Path, state: Mapping[str, Any] | None = None, *, evaluations: bool = False) -> None:
        self.out = out
        self._episode = 0 if state is None else state["episode"]
        self._files: dict[str, LineFile] = {}
        try:
            for name in (EPISODES, ARCHITECTURES, *([EVALUATIONS] if evaluations else [])):
                self._files[name] = LineFile(out / name, None if state is None else state[name])
        except BaseException:
            self.close_files()
            raise
        self._rows = csv.writer(self._files[EPISODES], lineterminator="\n")
        if state is None:
            self._rows.writerow(("episode", "return", "length", "epsilon", "loss", "architecture"))
        if evaluations:
            self._evaluation_rows = csv.writer(self._files[EVALUATIONS], lineterminator="\n")
            if state is None:
                self._evaluation_rows.writerow(
                    ("episode", "return", "std", "min", "max", "episodes", "steps", "architecture")
                )

    def get_state(self) -> dict[str, Any]:
        """The sizes of its files, after flushing them to the disk."""
        return {"episode": self._episode} | {name: file.get_state() for name, file in self._files.items()}

    def cut(self) -> None:
        """Cuts off what was written after the state."""
        for file in self._files.values():
            file.cut()

    def close_files(self) -> None:
        """Closes the files, after flushing them to the disk."""
        for file in self._files.values():
            file.close()

    def __call__(self, event: Event) -> None:
        match event:
            case Played():
                self._write_episodes(event.episodes, str(event.architecture))
            case Evaluated(episode, architecture, mean, std, low, high, episodes, steps):
                self._evaluation_rows.writerow((episode, mean, std, low, high, episodes, steps, architecture))
            case Resumed():
                pass  # an interruption leaves no trace
            case _:
                self._files[ARCHITECTURES].write(json.dumps(_record(event), allow_nan=False) + "\n")

    def close(self, result: RunResult) -> None:
        """Writes the networks and the summary; of a run that has failed, a network that is not finite is left out."""
        self.close_files()
        if np.isfinite(result.network.parameters).all():
            result.network.save(self.out / NETWORK)
        if result.best_network is not None:
            result.best_network.save(self.out / BEST_NETWORK)
        with replacing(self.out / SUMMARY, durable=True) as file:
            summary = _summary(result) | {"files": _sizes(self.out)}
            file.write(f"{json.dumps(summary, indent=2, allow_nan=False)}\n".encode())

    def _write_episodes(self, episodes: Episodes, architecture: str) -> None:
        # tolist: Python's own floats, whose repr is the shortest text that reads back to the same bits.
        columns = (episodes.returns, episodes.lengths, episodes.epsilons, episodes.losses)
        for row in zip(*(column.tolist() for column in columns), strict=True):
            self._episode += 1
            self._rows.writerow((self._episode, *row, architecture))


def _record(event: SearchEvent) -> dict[str, Any]:
    """One line of architectures.jsonl."""
    match event:
        case Asked(segment, episode, proposal):
            about = {"episode": episode, "architecture": str(proposal.architecture), "reason": proposal.reason}
            return {"event": "ask", "segment": segment, **about, "budget": proposal.budget}
        case Transferred(segment, old, new, report):
            crossing = {"event": "transfer", "segment": segment, "from": str(old), "to": str(new)}
            return crossing | _transfer_record(report)
        case Folded(segment, episode, architecture, report):
            folding = {"event": "fold", "segment": segment, "episode": episode, "architecture": str(architecture)}
            return folding | _transfer_record(report)
        case TookOver(segment, episode, old, new, note) | WentBack(segment, episode, old, new, note):
            name, change = "return" if isinstance(event, WentBack) else "takeover", {"from": str(old), "to": str(new)}
            return {"event": name, "segment": segment, "episode": episode, **change, "note": note}
        case Pruned(segment, before, after):
            return {"event": "prune", "segment": segment, "before": before, "after": after}
        case PopulationDrawn(segment, candidates):
            return {"event": "population", "segment": segment, "networks": [one.get_state() for one in candidates]}
        case TargetChosen(segment, episode, choice, architecture):
            about = {"episode": episode, "updates": choice.updates, "network": choice.chosen}
            by = {"architecture": str(architecture), "losses": choice.losses.tolist()}
            return {"event": "target", "segment": segment, **about, **by}
        case Replaced(segment, episode, updates, network, parent, before, now):
            about = {"episode": episode, "updates": updates, "network": network, "parent": parent}
            return {"event": "replace", "segment": segment, **about, "from": before.get_state(), "to": now.get_state()}
        case Raced(segment, episode, updates, scores, retired, best, architecture):
            about = {"episode": episode, "updates": updates, "network": best, "architecture": str(architecture)}
            compared = {"scores": {str(k): score for k, score in scores.items()}, "retired": list(retired)}
            return {"event": "race", "segment": segment, **about, **compared}
        case PolicyMoved(segment, episode, tried, episodes, steps, probabilities):
            about = {"episode": episode, "episodes": episodes, "steps": steps}
            moved = {"scores": {str(one): score for one, score in tried.items()}, "probabilities": dict(probabilities)}
            return {"event": "policy", "segment": segment, **about, **moved}
        case Ranked(segment, episode, ranking, episodes, steps, network):
            about = {"episode": episode, "architecture": str(network.architecture), "episodes": episodes}
            placed = {"steps": steps, "scores": {str(architecture): score for architecture, score in ranking}}
            return {"event": "ranking", "segment": segment, **about, **placed}
        case Told(segment, episode, result):
            about = {"episode": episode, "architecture": str(result.architecture), "reason": result.proposal.reason}
            worth = {"score": result.score, "cost": result.cost.steps, "accepted": result.accepted}
            priced = {} if result.estimate is None else {"estimate": result.estimate}
            return {"event": "tell", "segment": segment, **about, **worth, **priced}


def _transfer_record(report: TransferReport) -> dict[str, Any]:
    """How far Q moved; and of the rest what is not as it is for most transfers."""
    moved = ("kept", "q_change_mean", "q_change_max")
    default = TransferReport(report.kept, report.q_change_mean, report.q_change_max)
    return {key: value for key, value in asdict(report).items() if key in moved or value != getattr(default, key)}


def _summary(result: RunResult) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "status": result.status,
        "episodes": len(result.episodes),
        "steps": int(result.episodes.lengths.sum()),
        "metrics": result.metrics and asdict(result.metrics),
        "threshold": result.environment.kernel.threshold,
        "mean_return": result.mean_return,
        "optimum": result.optimum,
        "final_regret": result.final_regret,
        "mean_regret": result.mean_regret,
        "evaluation": _evaluation_record(result),
        "segments": [segment.get_state() for segment in result.segments],
        "seconds": asdict(result.times),
        "search_share": result.times.search_share,
        "environment": {
            "params": result.environment.values,
            "max_episode_steps": result.environment.max_episode_steps,
        },
        "learning_rate": result.config.agent.resolved_learning_rate,
        "backend": result.config.run.backend,
        "build": build_facts(),
    }


def _sizes(out: Path) -> dict[str, int]:
    """The files beside the summary and their sizes: after a loss of power one may be shorter."""
    names = (EPISODES, ARCHITECTURES, EVALUATIONS, NETWORK, BEST_NETWORK)
    return {entry.name: entry.stat().st_size for entry in sorted(os.scandir(out), key=_name) if entry.name in names}


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _evaluation_record(result: RunResult) -> dict[str, Any] | None:
    """What the evaluations beside training took, and the best; None without any."""
    if not result.evaluations:
        return None
    best = result.best_evaluation
    assert best is not None
    return {
        "steps": sum(evaluation.steps for evaluation in result.evaluations),
        "best": {"episode": best.episode, "return": best.mean, "architecture": str(best.architecture)},
    }
