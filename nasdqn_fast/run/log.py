"""The run directory, written while the run goes on. docs/run_directory.md describes its files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.events import Asked, Event, Played, Pruned, Resumed, Told, Transferred
from nasdqn_fast.run.directory import ARCHITECTURES, EPISODES, NETWORK, SUMMARY
from nasdqn_fast.run.provenance import build_facts
from nasdqn_fast.run.result import RunResult
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.storage.line_file import LineFile
from nasdqn_fast.types import Episodes, TransferReport

FORMAT = 1


class RunLog:
    """What happens in a run, as lines in its directory. Called with every event, closed with the result.

    Lines are written as things happen, so that a run that is killed leaves what it had; the other
    files are whole or absent.

    Args:
        out: the directory.
        state: of `get_state`, to continue from there, after `cut`; None begins new files.

    Raises:
        DamageError: the files are not as they were when the state was saved.
        OSError: they cannot be written, or are there already.
    """

    def __init__(self, out: Path, state: Mapping[str, Any] | None = None) -> None:
        self.out = out
        saved = state or {"episode": 0, EPISODES: None, ARCHITECTURES: None}
        self._episode = saved["episode"]
        self._episodes_file = LineFile(out / EPISODES, saved[EPISODES])
        try:
            self._architectures_file = LineFile(out / ARCHITECTURES, saved[ARCHITECTURES])
        except BaseException:
            self._episodes_file.close()
            raise
        self._rows = csv.writer(self._episodes_file, lineterminator="\n")
        if state is None:
            self._rows.writerow(("episode", "return", "length", "epsilon", "loss", "architecture"))

    def get_state(self) -> dict[str, Any]:
        """Where its files end, which are on the disk up to there."""
        return {
            "episode": self._episode,
            EPISODES: self._episodes_file.get_state(),
            ARCHITECTURES: self._architectures_file.get_state(),
        }

    def cut(self) -> None:
        """Cuts off what was written after the state."""
        self._episodes_file.cut()
        self._architectures_file.cut()

    def close_files(self) -> None:
        """No more lines; those there are, are on the disk."""
        self._episodes_file.close()
        self._architectures_file.close()

    def __call__(self, event: Event) -> None:
        match event:
            case Played():
                self._write_episodes(event.episodes, str(event.architecture))
            case Resumed():
                pass  # an interruption leaves no trace
            case _:
                self._architectures_file.write(json.dumps(_record(event), allow_nan=False) + "\n")

    def close(self, result: RunResult) -> None:
        """Writes the network and the summary; of a run that has failed, a network that is not finite is left out."""
        self.close_files()
        if np.isfinite(result.network.parameters).all():
            result.network.save(self.out / NETWORK)
        with replacing(self.out / SUMMARY, durable=True) as file:
            file.write(f"{json.dumps(_summary(result), indent=2, allow_nan=False)}\n".encode())

    def _write_episodes(self, episodes: Episodes, architecture: str) -> None:
        # tolist: Python's own floats, whose repr is the shortest text that reads back to the same bits.
        columns = (episodes.returns, episodes.lengths, episodes.epsilons, episodes.losses)
        for row in zip(*(column.tolist() for column in columns), strict=True):
            self._episode += 1
            self._rows.writerow((self._episode, *row, architecture))


def _record(event: Asked | Transferred | Pruned | Told) -> dict[str, Any]:
    """One line of architectures.jsonl."""
    match event:
        case Asked(segment, episode, proposal):
            about = {"episode": episode, "architecture": str(proposal.architecture), "reason": proposal.reason}
            return {"event": "ask", "segment": segment, **about, "budget": proposal.budget}
        case Transferred(segment, old, new, report):
            crossing = {"event": "transfer", "segment": segment, "from": str(old), "to": str(new)}
            return crossing | _transfer_record(report)
        case Pruned(segment, before, after):
            return {"event": "prune", "segment": segment, "before": before, "after": after}
        case Told(segment, episode, result):
            about = {"episode": episode, "architecture": str(result.architecture), "reason": result.proposal.reason}
            worth = {"score": result.score, "cost": result.cost.steps, "accepted": result.accepted}
            return {"event": "tell", "segment": segment, **about, **worth}


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
