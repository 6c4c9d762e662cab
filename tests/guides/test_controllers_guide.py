"""docs/controllers.md, carried out: its files are written, its contracts run, its training trains."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nasdqn_fast import plugins
from nasdqn_fast.space import Architecture
from nasdqn_fast.testing.transfers import filled_replay, some_states, trained_network
from nasdqn_fast.transfers.base import apply

GUIDE = Path(__file__).parents[2] / "docs" / "controllers.md"
BLOCK = re.compile(r"```python\n# (?P<name>\w+\.py)\n(?P<code>.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    """A folder with the files that the guide has its reader write."""
    for block in BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
        (tmp_path / block["name"]).write_text(block["code"], encoding="utf-8")
    return tmp_path


def python(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, *arguments]
    finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_the_plugins_keep_their_contracts(folder):
    assert re.search(r"\d+ passed in", python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"))


def test_the_training_tries_each_once_and_then_stays_with_the_best(folder):
    segments = [line.split() for line in python(folder, "train.py").splitlines()]
    architectures, reasons, scores = zip(*segments, strict=True)
    assert reasons == ("trial", "trial", "trial", "best", "best")
    assert architectures[:3] == ("1x8-relu", "1x16-relu", "1x32-relu")
    best = max(range(3), key=lambda i: float(scores[i]))
    assert architectures[3:] == (architectures[best],) * 2


def test_the_transfer_grows_a_network_without_moving_q(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    silent = plugins.find("transfers", "my_transfer:plugin")
    old, replay = trained_network("numpy", "2x8-tanh"), filled_replay("numpy", some_states(100))
    _, report = apply(silent, old, Architecture.parse("2x17-tanh"), np.random.default_rng(0), replay)
    assert report.q_change_max == pytest.approx(0.0, abs=1e-5)
