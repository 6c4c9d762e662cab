"""Two reports made by hand."""

import math

import numpy as np
import pytest

from nasdqn_fast.benchmarking.compare import ratios, remarks
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.report import Report


def a_figure(unit, values, name="case"):
    return Figure.of("group", name, unit, np.array(values, float), repeats=len(values), disturbed=0)


def a_report(*figures, machine=None, warnings=()):
    return Report(machine or {"processor": "one"}, 1e11, figures, warnings)


@pytest.mark.parametrize(("unit", "b_of_a"), [(Unit.MICROSECONDS, 0.5), (Unit.NANOSECONDS, 0.5), (Unit.STEPS, 2.0)])
def test_a_ratio_above_one_means_that_b_is_faster(unit, b_of_a):
    values = np.random.default_rng(0).normal(100, 1, 30)
    (ratio,) = ratios(a_report(a_figure(unit, values)), a_report(a_figure(unit, b_of_a * values)))
    assert ratio.ratio == pytest.approx(2.0)
    assert ratio.low < 2.0 < ratio.high
    assert ratio.high - ratio.low < 0.1
    assert ratio.verdict == "faster"


def test_what_is_slower_is_told():
    values = np.random.default_rng(0).normal(100, 1, 30)
    (ratio,) = ratios(a_report(a_figure(Unit.STEPS, values)), a_report(a_figure(Unit.STEPS, 0.9 * values)))
    assert ratio.verdict == "slower"


def test_what_scatters_more_than_it_differs_has_no_verdict():
    rng = np.random.default_rng(0)
    a, b = (a_figure(Unit.STEPS, rng.normal(mean, 30, 20)) for mean in (100, 101))
    (ratio,) = ratios(a_report(a), a_report(b))
    assert ratio.low < 1 < ratio.high
    assert ratio.verdict == ""


def test_shares_and_ratios_are_divided_without_a_verdict():
    a, b = (Figure("overhead", "share", Unit.SHARE, value, value, value) for value in (0.2, 0.1))
    (ratio,) = ratios(a_report(a), a_report(b))
    assert ratio.ratio == pytest.approx(0.5)
    assert math.isnan(ratio.low)
    assert ratio.verdict == ""


def test_only_what_both_have_is_compared_and_the_rest_is_named():
    both, first, second = (a_figure(Unit.STEPS, [1, 2, 3], name) for name in ("both", "first", "second"))
    a, b = a_report(first, both), a_report(both, second)
    assert [ratio.a.name for ratio in ratios(a, b)] == ["both"]
    assert remarks(a, b) == ["only in A: group: first", "only in B: group: second"]


def test_other_machines_and_warnings_are_told():
    a = a_report(machine={"processor": "one", "cpu_target": "avx2"}, warnings=("busy",))
    b = a_report(machine={"processor": "two", "cpu_target": "avx2"}, warnings=("busy, too",))
    assert remarks(a, b) == ["processor differs: one and two", "A: busy", "B: busy, too"]
