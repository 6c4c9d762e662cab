"""Runs that are interrupted, and what they leave: shared by the tests of this folder."""

import json

import pytest

from nasdqn_fast.events import Played
from nasdqn_fast.run.api import train

SMALL = {
    "method": "random-nas",
    "env": "cartpole",
    "episodes": 9,
    "switch_every": 4,
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu"],
    "warm_up": 10,
    "batch_size": 4,
    "target_every": 20,
    "replay_capacity": 150,
    "max_episode_steps": 30,
    "checkpoint_every": "2",
}


def stop_after(episodes):
    """A listener that acts as Ctrl-C does, when so many episodes have ended."""
    left = episodes

    def listener(event):
        nonlocal left
        if isinstance(event, Played):
            left -= len(event.episodes)
            if left == 0:
                raise KeyboardInterrupt

    return listener


def leave(out, after, **options):
    """Trains so many episodes and is interrupted."""
    with pytest.raises(KeyboardInterrupt, match=f"interrupted after {after} episodes; to go on: nasdqn-fast resume"):
        train(**options, out=out, progress=stop_after(after))


def contents(run):
    """What a run directory holds, but for checkpoints and times."""
    files = {path.name: path.read_bytes() for path in run.iterdir() if path.name != "checkpoints"}
    summary = json.loads(files["summary.json"])
    del summary["seconds"], summary["search_share"]
    return files | {"summary.json": summary}
