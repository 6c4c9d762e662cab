"""docs/environments.md, carried out: its files are written, its contract run, its training trained."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")
FILE = re.compile(r"```python\n# (?P<name>\w+\.py)\n(?P<code>.*?)```", re.DOTALL)
COMMAND = re.compile(r"PYTHONPATH=\. nasdqn-fast (.*)")


@pytest.fixture
def python(tmp_path):
    """Runs Python in a folder with the guide's files; returns what it printed."""
    for block in FILE.finditer(GUIDE):
        (tmp_path / block["name"]).write_text(block["code"], encoding="utf-8")

    def run(*arguments):
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        command = [sys.executable, *arguments]
        finished = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    return run


@pytest.mark.slow
def test_the_environment_keeps_the_contract(python):
    assert re.search(r"4 passed in", python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_walk.py"))


def test_the_script_runs(python):
    returns = [float(number) for number in re.findall(r"-?\d+\.\d*", python("use_my_walk.py"))]
    assert len(returns) == 20


def test_the_script_with_gymnasiums_environments_runs(python):
    returns = [float(number) for number in re.findall(r"\d+\.\d*", python("-W", "ignore", "use_gymnasium.py"))]
    assert len(returns) == 20


def test_the_script_with_a_vector_environment_runs(python):
    python("-W", "ignore", "use_vector_environment.py")


def test_the_command_trains(python, tmp_path):
    (arguments,) = COMMAND.findall(GUIDE)
    python("-m", "nasdqn_fast", *arguments.split(), "--method", "fixed-small", "--out", "run")
    rows = (tmp_path / "run" / "episodes.csv").read_text(encoding="utf-8").splitlines()[1:]
    returns = [float(row.split(",")[1]) for row in rows]
    assert len(returns) == 400
    assert max(returns) > 8  # found the lamp
