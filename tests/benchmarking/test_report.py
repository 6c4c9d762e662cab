"""The file of a report: what is written is read, and nothing else is."""

import json
from dataclasses import replace

import pytest

from nasdqn_fast.benchmarking import report
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.report import Report
from nasdqn_fast.errors import InputError


@pytest.fixture
def a_report():
    figures = (
        Figure("forward", "2x32-relu, 1 row", Unit.MICROSECONDS, 1.5, 1.25, 2.0, (1.25, 1.5, 2.0), 4, 1, 0.02),
        Figure("overhead", "share", Unit.SHARE, 0.1, 0.1, 0.1),
    )
    return Report({"processor": "one", "cpu_target": "avx2"}, 1.2e11, figures, ("busy",))


def test_what_is_saved_is_loaded(tmp_path, a_report):
    report.save(tmp_path / "a.json", a_report)
    assert report.load(tmp_path / "a.json") == a_report


def test_a_long_measurement_is_saved_so_that_it_can_be_compared(tmp_path, a_report):
    """Oracle: evenly spaced, and no more than the reader takes."""
    values = tuple(float(n) for n in range(1, 25_001))
    long = replace(a_report, figures=(replace(a_report.figures[0], values=values, repeats=25_000),))
    report.save(tmp_path / "a.json", long)
    assert report.load(tmp_path / "a.json").figures[0].values == values[::3]


def test_the_file_says_its_format(tmp_path, a_report):
    report.save(tmp_path / "a.json", a_report)
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["format"] == report.FORMAT == 1
    assert record["figures"][0]["unit"] == "us"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "it is not JSON"),
        ("[1]", "not a report of format 1"),
        ('{"format": 2}', "not a report of format 1"),
        ('{"format": 1}', "is damaged: KeyError"),
        ('{"format": 1, "machine": {}, "peak": 1, "warnings": [], "figures": [{"unit": "us"}]}', "is damaged"),
    ],
)
def test_anything_else_is_refused(tmp_path, content, message):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=message) as raised:
        report.load(tmp_path / "a.json")
    assert "a.json" in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the report .*no\.json"):
        report.load(tmp_path / "no.json")


@pytest.mark.parametrize("path", ["nosuch/a.json", "."])
def test_a_place_that_takes_no_file_is_refused(tmp_path, path):
    with pytest.raises(InputError, match="cannot be written"):
        report.check_writable(tmp_path / path)


@pytest.mark.parametrize(("disturbed", "warned"), [(0, False), (25, False), (26, True)])
def test_many_disturbed_repeats_are_a_warning(disturbed, warned):
    figure = Figure("group", "name", Unit.STEPS, 1.0, 1.0, 1.0, repeats=100, disturbed=disturbed)
    warning = report.disturbed((figure,))
    assert (warning is not None) == warned
    assert warning is None or f"{disturbed} of 100 repeats" in warning
