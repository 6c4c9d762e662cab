"""The tables at the end of a run, in terminals of several widths."""

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from nasdqn_fast.cli.tables import show_run
from nasdqn_fast.run.api import train


@pytest.fixture(scope="module")
def result():
    """Of a run over architectures with long names."""
    architectures = ["8,4,8,4,8,4,8,4,8-leaky_relu", "4,8,4,8,4,8,4,8,4-leaky_relu"]
    small = {"warm_up": 10, "batch_size": 4, "max_episode_steps": 30}
    return train("random-nas", "cartpole", episodes=40, switch_every=10, architectures=architectures, **small)


def shown(result, width):
    written = io.StringIO()
    show_run(Console(file=written, width=width), result)
    return written.getvalue()


@pytest.mark.parametrize("width", [50, 60, 80, 120])
def test_no_number_is_broken_or_cut(result, width):
    text = shown(result, width)
    for segment in result.segments:
        assert f" {segment.first}-{segment.last} " in text
        assert f" {segment.score:.2f} " in text
    assert "…" not in text


@pytest.mark.parametrize(("width", "there"), [(60, False), (120, True)])
def test_what_a_transfer_did_is_shown_where_there_is_room(result, width, there):
    text = shown(result, width)
    assert ("Q moved by" in text, "kept" in text) == (there, there)
    assert "architecture" in text


@pytest.mark.parametrize("threshold", [150.0, None])
def test_the_threshold_is_the_environments_and_one_that_has_none_has_no_row(result, threshold):
    kernel = dataclasses.replace(result.environment.kernel, threshold=threshold)
    environment = dataclasses.replace(result.environment, kernel=kernel)
    text = shown(dataclasses.replace(result, environment=environment), 100)
    assert ("mean exceeds 150" in text) == (threshold is not None)
    assert ("exceeds" in text) == (threshold is not None)


@pytest.mark.parametrize("reason", ["[/best]", "[red]", ":smile:"])
def test_a_reason_is_no_markup(result, reason):
    first, *others = result.segments
    changed = dataclasses.replace(result, segments=(dataclasses.replace(first, reason=reason), *others))
    assert f" {reason} " in shown(changed, 120)


def test_nor_is_the_name_of_the_run_directory(result):
    assert "run directory: [red]:smile:/x" in shown(dataclasses.replace(result, out=Path("[red]:smile:/x")), 120)


def test_tables_that_cannot_be_shown_leave_the_run_finished(result, capsys):
    show_run(Console(file=io.StringIO(), width=80), dataclasses.replace(result, segments=None))
    told = capsys.readouterr().err
    assert told.startswith("nasdqn-fast: warning: the tables cannot be shown (TypeError: ")
    assert told.count("\n") == 1


def test_one_column_is_wide_enough(result, capsys):
    shown(result, 1)
    assert capsys.readouterr().err == ""
