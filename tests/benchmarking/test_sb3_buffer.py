"""The rows that show Stable-Baselines3's replay buffer beside ours. Nothing here is asserted about time."""

import subprocess
import sys

import pytest

from nasdqn_fast.benchmarking import sb3_buffer, suite
from nasdqn_fast.benchmarking.figure import Unit
from nasdqn_fast.benchmarking.session import Session

WITHOUT = """
import sys
sys.modules["torch"] = None  # as if it were not installed
from nasdqn_fast.benchmarking import sb3_buffer, suite
from nasdqn_fast.benchmarking.session import Session
session = Session(suite.stopwatch(), seconds=0)
print(sb3_buffer.figures(session, "replay"), session.warnings, session.facts["sb3 buffer"])
"""


def test_both_are_timed_and_compared(monkeypatch):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'nasdqn-fast[sb3]'")
    pytest.importorskip("stable_baselines3", reason="SB3 is not installed: pip install 'nasdqn-fast[sb3]'")
    monkeypatch.setattr(sb3_buffer, "BATCHES", (8,))
    session = Session(suite.stopwatch(), seconds=0)
    figures = sb3_buffer.figures(session, "replay")
    whats = ["add", "sample 8", "sample 8, 3-step"]
    times = [(f"sb3 buffer, {what}, {whose}", Unit.MICROSECONDS) for what in whats for whose in ("ours", "theirs")]
    ratios = [(f"sb3 buffer, {what}, ours : theirs, speed", Unit.RATIO) for what in whats]
    assert [(figure.name, figure.unit) for figure in figures] == times + ratios
    assert {figure.group for figure in figures} == {"replay"}
    assert session.facts == {}


def test_without_them_the_report_says_so():
    said = subprocess.run([sys.executable, "-P", "-c", WITHOUT], capture_output=True, text=True, check=True).stdout
    assert said == "[] [] left out: torch is not installed, which this needs: pip install 'nasdqn-fast[sb3]'\n"
