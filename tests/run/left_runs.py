"""Runs that are interrupted or stopped, and what they leave: shared by the tests of this folder."""

import json

import pytest

from nasdqn_fast.events import STOP, Played
from nasdqn_fast.run.api import train

TINY = {
    "env": "cartpole",
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu"],
    "warm_up": 10,
    "batch_size": 4,
    "target_every": 20,
    "replay_capacity": 150,
    "max_episode_steps": 30,
}
SMALL = TINY | {"method": "random-nas", "episodes": 9, "switch_every": 4, "checkpoint_every": "2"}


def interrupting_at(number, kind):
    """A listener that acts as Ctrl-C does, at the n-th event of a kind."""
    stopping = stopping_at(number, kind)

    def listener(event):
        if stopping(event):
            raise KeyboardInterrupt

    return listener


def stopping_at(number, kind):
    """A listener that returns STOP at the n-th event of a kind."""
    seen = 0

    def listener(event):
        nonlocal seen
        seen += isinstance(event, kind)
        return STOP if seen == number and isinstance(event, kind) else None

    return listener


def leave(out, after, **options):
    """Trains so many episodes and is interrupted."""
    with pytest.raises(KeyboardInterrupt, match=f"interrupted after {after} episodes; to go on: nasdqn-fast resume"):
        train(**options, out=out, progress=interrupting_at(after, Played))


def contents(run):
    """What a run directory holds, but for checkpoints and times."""
    files = {path.name: path.read_bytes() for path in run.iterdir() if path.name != "checkpoints"}
    summary = json.loads(files["summary.json"])
    del summary["seconds"], summary["search_share"]
    return files | {"summary.json": summary}


def lines(run, event=None):
    """The records in architectures.jsonl, or those of one event."""
    recorded = map(json.loads, (run / "architectures.jsonl").read_text().splitlines())
    return [record for record in recorded if event in (None, record["event"])]
