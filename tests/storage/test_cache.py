"""Where computed things stay between processes, and what becomes of commands where there is no such place."""

import os
import re
from pathlib import Path

import pytest

from nasdqn_fast.cli import main
from nasdqn_fast.optimal import ceiling
from nasdqn_fast.storage import cache


@pytest.fixture
def homeless(monkeypatch):
    """A user without a home directory, as in a container started with another user's number."""
    for name in ("HOME", "NASDQN_FAST_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # what it does if there is no entry in passwd


def test_a_tilde_is_the_home_directory(monkeypatch):
    monkeypatch.setenv("NASDQN_FAST_CACHE_DIR", "~/somewhere")
    assert cache.directory() == Path.home() / "somewhere"


def test_without_a_home_there_is_none(homeless):
    with pytest.raises(FileNotFoundError, match="no home directory"):
        cache.directory()


def test_info_says_so(homeless, capsys):
    assert main(["info"]) == 0
    assert re.search(
        "^cache directory +none: no home directory; set NASDQN_FAST_CACHE_DIR$", capsys.readouterr().out, re.M
    )


@pytest.mark.filterwarnings("default")
def test_a_run_copes(homeless, tmp_path, monkeypatch, capfd):
    """A kernel that was not compiled in this process before: the optimum and the code are made anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ceiling, "POINTS", (24, 15))
    monkeypatch.setattr(ceiling, "COARSE_POINTS", (12, 9))
    monkeypatch.setattr(ceiling, "ROLLOUTS", 10)
    assert main(["train", "--env", "inverted-pendulum", "--episodes", "1", "--out", "run"]) == 0
    assert main(["evaluate", "run", "--episodes", "1"]) == 0


@pytest.mark.filterwarnings("default")
def test_a_benchmark_copes(homeless, capfd):
    assert main(["bench", "--group", "forward", "--seconds", "0"]) == 0
