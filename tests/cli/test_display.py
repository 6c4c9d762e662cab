"""The live display, on a console that takes itself for a terminal."""

import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from nasdqn_fast.cli import display
from nasdqn_fast.cli.output import printable
from nasdqn_fast.events import Asked, Played, Resumed, Transferred, WentBack
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


def test_a_run_of_so_many_steps_counts_them(clock):
    progress = display.Progress(2_000, steps=50_000)
    earlier = Episodes(*(np.array([value] * 5) for value in (1.0, 200, 1.0, 1.0)))
    progress(Resumed(1, SMALL, earlier))
    assert progress.extent() == "episode 5, step 1,000 of 50,000"
    for _ in range(45):
        progress(played(1.0))
    clock.now += 9.0
    # 45 episodes of 200 steps in 9 s are 1,000 steps/s; 40,000 steps are left.
    assert progress.extent() == "episode 50, step 10,000 of 50,000 | 0:40 left"


def test_the_architecture_shown_is_what_came_of_the_transfer(clock):
    progress = display.Progress(10)
    progress(Asked(1, 1, Proposal(SMALL, "uniform")))
    progress(Transferred(2, SMALL, LARGE, TransferReport(0.0, None, None)))
    progress(played(1.0, LARGE))
    clock.now += 1.0
    assert "4x128-relu" in progress.line()


def test_the_network_shown_of_several_is_the_one_that_played_last(clock):
    progress = display.Progress(10)
    progress(Asked(1, 1, Proposal(SMALL, "race")))
    progress(played(1.0, LARGE))
    clock.now += 1.0
    assert progress.state().endswith("| 4x128-relu")


def test_a_return_to_an_earlier_network_is_a_line():
    written = io.StringIO()
    with display.display(Console(file=written, width=200), 10) as listener:
        listener(WentBack(3, 180, LARGE, SMALL, "greedy return 5.0 instead of 8.0"))
    assert written.getvalue() == "back to 2x32-relu of an earlier segment: greedy return 5.0 instead of 8.0\n"


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
            listener(played(-1234.5, Architecture.parse(architecture)))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue())
    # 5 episodes a second of 200 steps: 999,940 episodes take 199,988 s.
    assert "episode 60 of 1,000,000 | 3333:08 left" in text
    assert f"mean of last 50: -1234.5 | 1,000 steps/s | {architecture}" in text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (59.6, "1:00"), (65, "1:05"), (3_600, "60:00")])
def test_minutes(seconds, text):
    assert display.minutes(seconds) == text


MARKUP = ["[/best]", "[red]", "[bold]x[/bold]", "[link=http://x]y[/link]", ":smile:", "[", "\\[x]", "[@click=exit]z[/]"]


def lines_of(reason, **console):
    written = io.StringIO()
    with display.display(Console(file=written, width=200, **console), 10) as listener:
        listener(Asked(1, 1, Proposal(SMALL, reason)))
        listener(played(1.0))
    return written.getvalue()


@pytest.mark.parametrize("reason", MARKUP)
def test_a_controllers_reason_is_shown_as_it_is(reason, capsys):
    assert lines_of(reason) == f"segment 1 from episode 1: 2x32-relu ({reason})\n"
    assert capsys.readouterr().err == ""


@given(st.text(max_size=20))
def test_whatever_the_reason_it_is_one_line_that_tells_a_terminal_nothing(reason):
    shown = lines_of(reason)
    assert shown == f"segment 1 from episode 1: 2x32-relu ({printable(reason)})\n"
    assert shown[:-1].isprintable()


def test_escapes_stand_for_what_a_terminal_would_obey():
    assert printable("a\x1b[2J\n\ud800 é") == r"a\x1b[2J\n\ud800 é"


class Broken(io.StringIO):
    """A terminal whose every write fails."""

    def write(self, text):
        raise self.error


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("error", [OSError("gone"), ValueError("closed"), RuntimeError("whatever"), RecursionError()])
def test_a_display_that_fails_is_given_up_with_one_line(capsys, error, terminal):
    file = Broken()
    file.error = error
    with display.display(Console(file=file, force_terminal=terminal, width=80), 10) as listener:
        for _ in range(3):
            listener(Asked(1, 1, Proposal(SMALL, "uniform")))
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith(f"nasdqn-fast: warning: the display is off ({type(error).__name__}: {error}); the run goes")


@pytest.mark.parametrize("broken", ["line", "extent", "__call__"])
def test_so_is_one_with_a_bug(capsys, monkeypatch, broken):
    def bug(*_):
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(display.Progress, broken, bug)
    for terminal in (True, False):
        with display.display(Console(file=io.StringIO(), force_terminal=terminal), 1_000) as listener:
            for _ in range(300):
                listener(played(1.0))
    assert capsys.readouterr().err.count("the display is off (ZeroDivisionError: bug)") in (1, 2)


def test_what_ends_a_run_passes_the_display():
    for error in (KeyboardInterrupt, RuntimeError):
        with pytest.raises(error, match="mine"), display.display(Console(file=io.StringIO()), 10):
            raise error("mine")


def test_a_terminal_that_becomes_one_column_wide_is_drawn_on(clock, capsys):
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with display.display(console, 1_000) as listener:
        for width in (80, 1, 2, 5, 6, 7, 1, 80):
            console.width = width
            clock.now += 1.0
            listener(played(1.0))
    assert capsys.readouterr().err == ""


def test_an_encoding_that_lacks_characters_is_no_error(capsys):
    raw = io.BytesIO()
    console = Console(file=display.Lasting(io.TextIOWrapper(raw, encoding="ascii")), width=80)
    with display.display(console, 10) as listener:
        listener(Asked(1, 1, Proposal(SMALL, "größer → ∞")))
    console.file.flush()
    assert raw.getvalue() == b"segment 1 from episode 1: 2x32-relu (gr??er ? ?)\n"
    assert capsys.readouterr().err == ""
