"""The run directory, written while the run goes on. docs/run_directory.md describes its files."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nasdqn_fast.build_facts import build_facts
from nasdqn_fast.config import Config, to_toml
from nasdqn_fast.events import Asked, Event, Played, Pruned, Told, Transferred
from nasdqn_fast.files import replacing
from nasdqn_fast.run_result import RunResult, Segment
from nasdqn_fast.types import Episodes, InputError

FORMAT = 1
CONFIG, EPISODES, ARCHITECTURES, SUMMARY, NETWORK = (
    "config.toml",
    "episodes.csv",
    "architectures.jsonl",
    "summary.json",
    "network.npz",
)


def check_free(out: Path) -> None:
    """Refuses a directory that cannot be written, or holds something already.

    Raises:
        InputError: it is a file, not empty or not writable.
    """
    try:
        if out.is_file():
            raise InputError(f"the output directory {str(out)!r} is a file; choose another")
        if out.exists() and any(out.iterdir()):
            raise InputError(f"the output directory {str(out)!r} exists and is not empty; choose another")
        there = next(path for path in (out, *out.absolute().parents) if path.exists())
    except OSError as error:
        raise _unwritable(out, error) from None
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"the output directory {str(out)!r} cannot be written: {str(there)!r} does not let it")


class RunLog:
    """One run directory. Called with every event, closed with the result.

    Lines are written as things happen, so that a run that is killed leaves what it had; the other
    files are whole or absent.

    Args:
        out: the directory; made if it is missing.
        config: the run's settings.

    Raises:
        InputError: as `check_free`.
    """

    def __init__(self, out: Path, config: Config) -> None:
        check_free(out)
        self.out = out
        try:
            out.mkdir(parents=True, exist_ok=True)
            _write(out / CONFIG, to_toml(config))
            self._episodes_file = (out / EPISODES).open("x", encoding="utf-8", newline="", buffering=1)
            self._architectures_file = (out / ARCHITECTURES).open("x", encoding="utf-8", newline="", buffering=1)
        except OSError as error:
            raise _unwritable(out, error) from None
        self._rows = csv.writer(self._episodes_file, lineterminator="\n")
        self._rows.writerow(("episode", "return", "length", "epsilon", "loss", "architecture"))
        self._episode = 0

    def __call__(self, event: Event) -> None:
        match event:
            case Played():
                self._write_episodes(event.episodes, str(event.architecture))
            case _:
                self._architectures_file.write(json.dumps(_record(event), allow_nan=False) + "\n")

    def close(self, result: RunResult) -> None:
        """Writes the network and the summary."""
        self._episodes_file.close()
        self._architectures_file.close()
        result.network.save(self.out / NETWORK)
        _write(self.out / SUMMARY, json.dumps(_summary(result), indent=2, allow_nan=False) + "\n")

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
            return {"event": "transfer", "segment": segment, "from": str(old), "to": str(new), **asdict(report)}
        case Pruned(segment, before, after):
            return {"event": "prune", "segment": segment, "before": before, "after": after}
        case Told(segment, episode, result):
            about = {"episode": episode, "architecture": str(result.architecture), "reason": result.proposal.reason}
            worth = {"score": result.score, "cost": result.cost, "accepted": result.accepted}
            return {"event": "tell", "segment": segment, **about, **worth}


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
        "segments": [_segment(segment) for segment in result.segments],
        "seconds": asdict(result.times),
        "search_share": result.times.search_share,
        "environment": {
            "params": result.environment.values,
            "max_episode_steps": result.environment.max_episode_steps,
        },
        "learning_rate": result.config.agent.settings().resolved_learning_rate,
        "backend": result.config.run.backend,
        "build": build_facts(),
    }


def _segment(segment: Segment) -> dict[str, Any]:
    return asdict(segment) | {"architecture": str(segment.architecture)}


def _write(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())


def _unwritable(out: Path, error: OSError) -> InputError:
    return InputError(f"the output directory {str(out)!r} cannot be written: {error.strerror}")
