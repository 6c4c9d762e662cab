"""What is compared, and the file that one training run leaves behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# The mean greedy return at which a task counts as learned.
THRESHOLDS = {"CartPole-v1": 475.0, "Acrobot-v1": -100.0, "MountainCar-v0": -110.0}
OURS = {"CartPole-v1": "cartpole", "Acrobot-v1": "acrobot", "MountainCar-v0": "mountain-car"}


@dataclass(frozen=True)
class Case:
    """One task under one profile's settings.

    Attributes:
        profile: ``sb3`` (the defaults of Stable-Baselines3), ``cleanrl`` or ``zoo`` (RL Zoo's tuned values).
        task: Gymnasium's id.
        steps: environment steps of a run.
    """

    profile: str
    task: str
    steps: int

    @property
    def name(self) -> str:
        return f"{self.profile}-{self.task}"


# In the order in which `record` takes them: cheap ones first, so that a run of it can be stopped anywhere.
CASES = (
    Case("sb3", "CartPole-v1", 50_000),
    Case("sb3", "Acrobot-v1", 50_000),
    Case("cleanrl", "CartPole-v1", 100_000),
    Case("cleanrl", "Acrobot-v1", 100_000),
    Case("zoo", "CartPole-v1", 50_000),
    Case("zoo", "MountainCar-v0", 120_000),
    Case("zoo", "Acrobot-v1", 100_000),
)


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        steps: [episodes] environment steps done when each episode ended.
        returns: [episodes] undiscounted return of each episode, explored as the run did.
        greedy: [episodes] returns of the final network without exploration.
        wall, cpu: seconds of training, without imports and without the greedy episodes.
        about: versions of what ran.
    """

    steps: np.ndarray
    returns: np.ndarray
    greedy: np.ndarray
    wall: float
    cpu: float
    about: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write all at once, so that a run that is cut short leaves no file."""
        partial = path.with_suffix(f".{os.getpid()}.part")
        with partial.open("wb") as file:
            np.savez_compressed(
                file,
                steps=self.steps.astype(np.int64),
                returns=self.returns.astype(np.float64),
                greedy=self.greedy.astype(np.float64),
                seconds=np.array([self.wall, self.cpu]),
                about=np.array(json.dumps(self.about)),
            )
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Run:
        with np.load(path) as file:
            wall, cpu = (float(seconds) for seconds in file["seconds"])
            about = json.loads(str(file["about"]))
            return cls(file["steps"], file["returns"], file["greedy"], wall, cpu, about)


def path(folder: Path, case: Case, seed: int) -> Path:
    return folder / f"{case.name}-{seed:03d}.npz"


def saved(folder: Path, case: Case) -> Iterator[tuple[int, Run]]:
    """The case's runs in a folder, by seed."""
    for file in sorted(folder.glob(f"{case.name}-[0-9][0-9][0-9].npz")):
        yield int(file.stem[-3:]), Run.load(file)
