"""The live display, on a console that takes itself for a terminal."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from nasdqn_fast.cli import display
from nasdqn_fast.events import Asked, Played, Transferred
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Episodes, Proposal, TransferReport

SMALL, LARGE = Architecture.parse("2x32-relu"), Architecture.parse("4x128-relu")


class Clock:
    """Stands still unless told."""

    now = 100.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(display, "time", clock)
    return clock


def played(value, architecture=SMALL):
    one = np.array([value])
    return Played(architecture, Episodes(one, np.array([200]), one, one))


def test_the_line_shows_mean_architecture_speed_and_time_left(clock):
    progress = display.Progress(2_000)
    progress(Asked(1, 1, Proposal(SMALL, "uniform")))
    for value in range(100):
        progress(played(float(value)))
    clock.now += 2.0
    # The mean of 50..99 is 74.5; 100 episodes of 200 steps in 2 s are 10,000 steps/s; 1,900 episodes are left: 38 s.
    assert progress.line() == "episode 100 of 2,000 | 0:38 left | mean of last 50: 74.5 | 10,000 steps/s | 2x32-relu"


def test_the_architecture_shown_is_what_came_of_the_transfer(clock):
    progress = display.Progress(10)
    progress(Asked(1, 1, Proposal(SMALL, "uniform")))
    progress(Transferred(2, SMALL, LARGE, TransferReport(0.0, None, None)))
    progress(played(1.0))
    clock.now += 1.0
    assert "4x128-relu" in progress.line()


def test_a_terminal_is_redrawn_ten_times_a_second_at_most(clock):
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    with display.display(console, 1_000) as listener:
        listener(Asked(1, 1, Proposal(SMALL, "uniform")))
        for _ in range(1_000):
            clock.now += 0.001
            listener(played(1.0))
    # One second of a thousand episodes.
    assert 9 <= written.getvalue().count("steps/s") <= 12


@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_live_lines_leave_room_for_what_the_terminal_writes_at_ctrl_c(clock, width):
    """Else ^C would wrap, and the line above the message would stay."""
    written = io.StringIO()
    with display.display(Console(file=written, force_terminal=True, width=width), 1_000) as listener:
        for _ in range(100):
            clock.now += 1.0
            listener(played(123.0, Architecture((128, 64, 128, 64, 128), "leaky_relu")))
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue()))
    longest = max(map(len, lines))
    assert width - 10 < longest <= width - len("^C^C")


@pytest.mark.parametrize("architecture", ["4x128-leaky_relu", "128,64,128,64-leaky_relu"])
def test_eighty_columns_hold_all_of_it(clock, architecture):
    written = io.StringIO()
    with display.display(Console(file=written, force_terminal=True, width=80), 1_000_000) as listener:
        listener(Asked(1, 1, Proposal(Architecture.parse(architecture), "uniform")))
        for _ in range(60):
            clock.now += 0.2
            listener(played(-1234.5))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue())
    # 5 episodes a second of 200 steps: 999,940 episodes take 199,988 s.
    assert "episode 60 of 1,000,000 | 3333:08 left" in text
    assert f"mean of last 50: -1234.5 | 1,000 steps/s | {architecture}" in text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (65, "1:05"), (3_600, "60:00")])
def test_minutes(seconds, text):
    assert display.minutes(seconds) == text
