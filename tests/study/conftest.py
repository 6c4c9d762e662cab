import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from nasdqn_fast.study.table import Table

# Episodes of a millisecond at most.
TINY = {"max_episode_steps": 20, "architectures": ("1x4-relu", "5,3-tanh"), "warm_up": 10, "batch_size": 4}


@pytest.fixture
def tiny():
    """Keywords of a study that takes no time: two methods, three seeds."""
    return {
        "methods": ["random-nas", "fixed:1x8-relu"],
        "tasks": ["cartpole"],
        "episodes": 4,
        "switch_every": 2,
        **TINY,
    }


@pytest.fixture
def settings():
    """Keywords of a run whose episodes take a millisecond at most."""
    return dict(TINY)


@pytest.fixture
def files():
    """Folder -> content of a study, to be compared with another's."""
    return content


def content(folder):
    """Relative path -> digest, of all files of a study but those that hold times (docs/run_directory.md)."""
    folder = Path(folder)
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.name not in ("summary.json", "study.json")
        and "checkpoints" not in path.parts
        and path.relative_to(folder).parts[0] == "trials"
    }


@pytest.fixture(scope="session")
def invented():
    """A function that makes a table of any numbers, without training."""

    def make(returns, seeds, *, scale=1.0, evaluated_after=(2, 4)):
        """returns: (architectures, seeds, episodes), in units of `scale`."""
        returns = np.asarray(returns)
        n, k, episodes = returns.shape
        agent = {"updates_per_step": 1, "updates_per_train": None, "train_every": 1, "num_envs": 1}
        agent |= {"batch_size": 64, "double": True}
        after = [number for number in evaluated_after if number <= episodes]
        rows = n * k
        return Table(
            {
                "format": np.array(1),
                "tasks": np.array(["task"]),
                "settings": np.array([json.dumps({"agent": agent})]),
                "scales": np.array([scale]),
                "observation_sizes": np.array([4]),
                "n_actions": np.array([2]),
                "architectures": np.array([f"1x{width}-relu" for width in range(1, n + 1)]),
                "task": np.zeros(rows, np.int16),
                "architecture": np.repeat(np.arange(n), k),
                "seed": np.tile(seeds, n),
                "returns": returns.reshape(rows, episodes).astype(np.int16),
                "lengths": np.full((rows, episodes), 7, np.uint16),
                "evaluated_after": np.array(after),
                "evaluations": returns.reshape(rows, episodes)[:, [number - 1 for number in after]] + 0.5,
                "steps": np.full(rows, 7 * episodes),
                "updates": np.full(rows, max(0, 7 * episodes - 9)),
                "parameters": np.repeat(np.arange(1, n + 1) * 7 + 2, k),
                "flop": np.zeros(rows, np.int64),
            }
        )

    return make
