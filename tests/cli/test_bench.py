"""``nasdqn-fast bench``."""

import json
import re

import pytest

from nasdqn_fast.benchmarking import peer_check, report


@pytest.fixture
def measured(run):
    return run("bench", "--group", "forward", "--seconds", 0, "--json", "a.json")


def test_a_report_is_printed_and_written(measured, tmp_path):
    code, out, err = measured
    assert (code, err) == (0, "")
    figures = report.load(tmp_path / "a.json").figures
    rows = [line for line in out.splitlines() if line.startswith("forward")]
    assert [re.search(r"forward +(.*?)  +", row)[1] for row in rows] == [figure.name for figure in figures]
    assert re.search(r"^FMA peak +[\d.]+ GFLOP/s", out, re.MULTILINE)
    assert re.search(r"^threads +OPENBLAS_NUM_THREADS=1 ", out, re.MULTILINE)


def test_reports_are_compared(measured, run):
    code, out, _ = run("bench", "--compare", "a.json", "a.json")
    assert code == 0
    rows = [line for line in out.splitlines() if line.startswith("forward")]
    assert len(rows) == 12
    assert all(" 1.000 " in row for row in rows)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("--group forwad", "unknown group 'forwad': did you mean 'forward'?"),
        ("--cpu avx3", "CPU target 'avx3' is not one of this machine"),
        ("--seconds x", "'x' is not a valid float"),
        ("--seconds -1", "-1.0 is not in the range"),
        ("--json nosuch/a.json", "the report 'nosuch/a.json' cannot be written"),
        ("--compare a.json", "--compare"),
        ("--compare a.json b.json", "cannot read the report 'a.json'"),
        ("--compare a.json b.json --group forward", "--compare measures nothing: it takes no other option"),
        ("--compare bad.json bad.json", "'bad.json' is not a report: it is not JSON"),
        ("--compare other.json other.json", "'other.json' is not a report of format 1"),
    ],
)
def test_bad_input_is_one_line(run, tmp_path, args, message):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "other.json").write_text(json.dumps({"format": 99}))
    code, out, err = run("bench", *args.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_wrong_target_in_the_environment_is_one_line(run, monkeypatch):
    monkeypatch.setenv("NASDQN_FAST_CPU", "avx3")
    code, out, err = run("bench", "--group", "forward", "--seconds", 0)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "NASDQN_FAST_CPU" in err


@pytest.mark.parametrize("asked", [["--peers"], ["--group", "peers"]])
def test_peers_without_the_source_tree_are_one_line(run, tmp_path, monkeypatch, asked):
    monkeypatch.setattr(peer_check, "TREE", tmp_path)  # of an installed package, it is site-packages
    code, out, err = run("bench", *asked)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "the peers are in bench/peers of nasdqn-fast's source tree" in err
