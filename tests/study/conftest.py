import hashlib
from pathlib import Path

import pytest

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
