"""From repeats to figures, on clocks made by hand."""

import pytest

from nasdqn_fast.benchmarking.case import Case, arithmetic, times
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session


def takes(machine, seconds, **about):
    """A case whose calls take that long."""
    return Case("case", Unit.MICROSECONDS, lambda n: machine.work(n * seconds), **about)


def test_a_figure_is_the_time_of_one_item(machine):
    session = Session(machine.stopwatch(), seconds=1)
    (figure,) = session.measure("group", [takes(machine, 5e-4, items=100)])
    assert (figure.group, figure.name, figure.disturbed) == ("group", "case", 0)
    assert figure.value == pytest.approx(5.0)  # us
    assert figure.low == pytest.approx(5.0)
    assert figure.repeats == len(figure.values)


def test_a_rate_is_the_reciprocal(machine):
    session = Session(machine.stopwatch(), seconds=1)
    case = Case("case", Unit.STEPS, lambda n: machine.work(n * 1e-3), items=200)
    (figure,) = session.measure("group", [case])
    assert figure.value == pytest.approx(200_000)


def test_disturbed_repeats_are_left_out_and_counted(machine):
    done = []

    def every_third_loses_the_processor(n):
        done.append(n)
        lost = len(done) % 3 == 0
        machine.work(0.05 if lost else 0.01, ran=0.2 if lost else 1.0)

    case = Case("case", Unit.MICROSECONDS, every_third_loses_the_processor, calls=1)
    (figure,) = Session(machine.stopwatch(), seconds=2).measure("group", [case])
    assert figure.values == pytest.approx([10_000.0] * len(figure.values))
    assert figure.disturbed == pytest.approx(figure.repeats / 3, abs=1)
    assert figure.disturbed + len(figure.values) == figure.repeats


def test_the_arithmetic_limit_comes_from_the_brackets(machine):
    """5 GFLOP/s: 10,000 operations take 2 us at best, and 8 us are a quarter of that."""
    session = Session(machine.stopwatch(), seconds=0)
    (figure,) = session.measure("group", [takes(machine, 8e-6, limit=arithmetic(10_000))])
    assert figure.limit == pytest.approx(2.0)
    assert figure.share == pytest.approx(0.25)


def test_a_limit_may_be_another_case(machine):
    miss = Case("miss", Unit.NANOSECONDS, lambda n: machine.work(n * 1e-6), items=10)
    session = Session(machine.stopwatch(), seconds=0)
    figure, _ = session.measure("group", [takes(machine, 3e-5, limit=times(100, "miss")), miss])
    assert figure.limit == pytest.approx(10.0)  # us: 100 misses of 100 ns
    assert figure.share == pytest.approx(1 / 3)


def test_calls_may_be_prescribed(machine):
    counts = []

    def run(n):
        counts.append(n)
        machine.work(1e-6)

    Session(machine.stopwatch(), seconds=0).measure("group", [Case("case", Unit.NANOSECONDS, run, calls=7)])
    assert counts == [1, 7, 7, 7]  # warm-up, then the repeats


def test_preparation_precedes_every_repeat_and_the_warm_up(machine):
    events = []

    def run(n):
        events.append("run")
        machine.work(1e-3)

    case = Case("case", Unit.MICROSECONDS, run, calls=1, prepare=lambda: events.append("prepare"))
    Session(machine.stopwatch(), seconds=0).measure("group", [case])
    assert events == ["prepare", "run"] * 4


@pytest.mark.parametrize(("unit", "limit", "share"), [(Unit.STEPS, 200.0, 0.5), (Unit.NANOSECONDS, 50.0, 0.5)])
def test_the_share_says_how_near_the_limit_is(unit, limit, share):
    assert Figure("group", "name", unit, 100.0, 90.0, 110.0, limit=limit).share == share


def test_without_a_limit_there_is_no_share():
    assert Figure("group", "name", Unit.STEPS, 100.0, 90.0, 110.0).share is None
