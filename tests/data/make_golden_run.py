"""Makes tests/data/run_format_1: a run left after six of nine episodes, as this version saves it.

Not to be run again for format 1, whose files have to be read for ever; a later format gets a folder of its own.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import nasdqn_fast
from nasdqn_fast.events import Played

OUT = Path(__file__).with_name("run_format_1")


def stop(event: object) -> None:
    """Ctrl-C after the sixth episode."""
    if isinstance(event, Played):
        stop.left -= len(event.episodes)  # type: ignore[attr-defined]
        if stop.left == 0:  # type: ignore[attr-defined]
            raise KeyboardInterrupt


if __name__ == "__main__":
    if OUT.exists():
        sys.exit(f"{OUT} exists; later versions must read that one")
    stop.left = 6  # type: ignore[attr-defined]
    with contextlib.suppress(KeyboardInterrupt):
        nasdqn_fast.train(
            "nas-dqn",
            "cartpole",
            seed=3,
            episodes=9,
            switch_every=4,
            architectures=["1x4-relu", "5,3-tanh"],
            optimizer="adam",
            num_envs=2,
            warm_up=10,
            batch_size=4,
            replay_capacity=100,
            max_episode_steps=30,
            out=OUT,
            progress=stop,
        )
