"""What is shown, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from nasdqn_fast.benchmarking import tables
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.report import Report

FORWARD = Figure("forward", "2x32-relu, 64 rows", Unit.MICROSECONDS, 4.0, 3.9, 4.25, (4.0,), 20, 3, 1.0)
FASTER = Figure("peers", "ours is faster by", Unit.RATIO, 1.8061, 1.75, 1.9, (1.8,), 20, 0)
REPORT = Report({"processor": "[one]", "cpu_target": "avx2"}, 1.283e11, (FORWARD, FASTER), ("the machine was busy",))


def shown(show, *reports, terminal=False):
    written = io.StringIO()
    show(Console(file=written, force_terminal=terminal, width=150, highlight=False), *reports)
    return written.getvalue()


def test_elsewhere_a_figure_is_a_plain_line():
    out = shown(tables.show_report, REPORT)
    line = next(line for line in out.splitlines() if "2x32" in line)
    assert line.split("  ")[0] == "forward"
    assert line.split() == ["forward", "2x32-relu,", "64", "rows", "4.00", "us", "3.90-4.25", "17/20", "1.00", "25%"]
    assert "\x1b" not in out
    assert "│" not in out


def test_a_terminal_gets_a_table():
    out = shown(tables.show_report, REPORT, terminal=True)
    assert "│" in out
    assert "3.90-4.25" in out


def test_machine_peak_and_warnings_are_told():
    lines = shown(tables.show_report, REPORT).splitlines()
    assert lines[:3] == ["processor   [one]", "cpu target  avx2", "FMA peak    128.3 GFLOP/s, one core"]
    assert lines[-2:] == [tables.INTERVALS_NOTE, "warning: the machine was busy"]


def test_a_comparison_shows_both_figures_and_their_ratio():
    out = shown(tables.show_comparison, REPORT, REPORT)
    line = next(line for line in out.splitlines() if "2x32" in line)
    assert line.split() == ["forward", "2x32-relu,", "64", "rows", "4.00", "4.00", "us", "1.000"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.012345, Unit.MICROSECONDS, "0.0123"),
        (1.2345, Unit.MICROSECONDS, "1.23"),
        (123.45, Unit.NANOSECONDS, "123"),
        (12345.6, Unit.STEPS, "12,346"),
        (0.0, Unit.SHARE, "0"),
        (0.98765, Unit.RATIO, "0.988"),
    ],
)
def test_numbers_are_as_long_as_they_mean_something(value, unit, text):
    assert tables.text(value, unit) == text
