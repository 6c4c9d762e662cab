"""``--tensorboard`` and ``--monitor`` of train and resume."""

import csv

import pytest

from nasdqn_fast.cli import main

TRAIN = ["train", "--method", "fixed-small", "--env", "cartpole", "--max-episode-steps", "20", "--out", "run"]


def returns(path):
    return [float(row["r"]) for row in csv.DictReader(path.read_text().splitlines()[1:])]


def written_returns(run):
    return [float(row["return"]) for row in csv.DictReader((run / "episodes.csv").read_text().splitlines())]


def test_a_run_that_is_made_longer_goes_on_in_the_same_files(tmp_path, monkeypatch):
    """Oracle: the run's own episodes.csv."""
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed"
    )
    monkeypatch.chdir(tmp_path)
    options = ["--tensorboard", "run/tensorboard", "--monitor", "run/monitor.csv"]
    assert main([*TRAIN, "--episodes", "4", *options]) == 0
    assert main(["resume", "run", "--episodes", "6", *options]) == 0
    expected = written_returns(tmp_path / "run")
    assert len(expected) == 6
    assert returns(tmp_path / "run" / "monitor.csv") == expected
    assert '"env_id": "cartpole"' in (tmp_path / "run" / "monitor.csv").read_text()
    reader = accumulator.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    reader.Reload()
    assert [event.value for event in reader.Scalars("charts/episodic_return")] == expected


def test_files_of_another_run_are_refused_before_anything_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "monitor.csv").write_text("mine")
    assert main([*TRAIN, "--episodes", "4", "--monitor", "monitor.csv"]) == 2
    assert capsys.readouterr().err == "nasdqn-fast: 'monitor.csv' exists; choose another file\n"
    assert [path.name for path in tmp_path.iterdir()] == ["monitor.csv"]
