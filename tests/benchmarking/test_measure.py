"""Which repeats count, against clocks made by hand."""

import functools

import numpy as np
import pytest

from nasdqn_fast.benchmarking.measure import LEAST, Repeat, calls_for, disturbances, interleave, kept

FASTEST = 0.001  # s, see conftest.py


def test_a_repeat_is_timed_without_its_brackets(machine):
    repeat = machine.stopwatch().time(lambda: machine.work(0.25, ran=0.5))
    assert (repeat.seconds, repeat.ran, repeat.bracket) == pytest.approx((0.25, 0.5, FASTEST))


def test_the_slower_bracket_is_the_repeats(machine):
    def slows_down():
        machine.work(0.25)
        machine.slowness = 2.0

    assert machine.stopwatch().time(slows_down).bracket == pytest.approx(2 * FASTEST)


@pytest.mark.parametrize(
    ("bracket", "ran", "disturbed"),
    [
        (1.00, 1.00, False),
        (1.09, 0.96, False),
        (1.11, 1.00, True),  # a slow spell
        (1.50, 1.00, True),
        (1.00, 0.94, True),  # another process had the processor
        (1.00, 0.00, True),
        (1.00, 1.90, False),  # two threads of ours
    ],
)
def test_slow_brackets_and_lost_time_disturb(bracket, ran, disturbed):
    assert (Repeat(1.0, ran, bracket * FASTEST).disturbance(FASTEST) > 1) == disturbed


def test_a_repeat_is_judged_by_the_fastest_bracket_of_the_whole_run(machine):
    stopwatch = machine.stopwatch()
    machine.slowness = 1.5
    slow = stopwatch.time(lambda: machine.work(0.1))
    assert slow.disturbance(stopwatch.fastest) < 1  # nobody can know yet
    machine.slowness = 1.0
    stopwatch.time(lambda: machine.work(0.1))
    assert slow.disturbance(stopwatch.fastest) > 1


def test_the_peak_is_that_of_the_quiet_brackets(machine):
    stopwatch = machine.stopwatch()
    for slowness in (1.0, 3.0, 1.0, 3.0, 3.0, 3.0, 1.04):
        machine.slowness = slowness
        stopwatch.time(lambda: machine.work(0.1))
    # 5 MFLOP in 1 ms; median of six brackets at 1.0, 1.0, 1.0, 1.0, 1.04, 1.04.
    assert stopwatch.peak == pytest.approx(5e9)


def test_undisturbed_repeats_are_kept():
    judged = np.array([0.9, 1.0, 1.2, 0.95, 3.0])
    assert kept(judged).tolist() == [True, True, False, True, False]


def test_of_a_busy_machine_the_least_disturbed_repeats_are_kept():
    judged = np.array([1.5, 0.9, 2.0, 1.2, 3.0])
    assert kept(judged).tolist() == [True, True, False, True, False]
    assert LEAST == 3


def test_disturbances_are_those_of_the_repeats():
    repeats = [Repeat(1.0, 1.0, FASTEST), Repeat(1.0, 0.475, FASTEST)]
    np.testing.assert_allclose(disturbances(repeats, FASTEST), [0.95, 2.0])


def test_works_take_turns_forwards_and_backwards(machine):
    order = []

    def work(name):
        order.append(name)
        machine.work(1.0)

    works = [functools.partial(work, name) for name in "abc"]
    repeats = interleave(works, machine.stopwatch(), seconds=0)
    assert "".join(order) == "abc" + "cba" + "abc"
    assert [len(of_one) for of_one in repeats] == [3, 3, 3]


@pytest.mark.parametrize(("seconds", "rounds"), [(0.0, LEAST), (2.0, LEAST), (10.0, 10), (10.1, 11)])
def test_rounds_go_on_until_the_time_is_over(machine, seconds, rounds):
    """A round is one second of work and two brackets of 1 ms: ten of them end after 10.02 s."""
    (repeats,) = interleave([lambda: machine.work(1.0)], machine.stopwatch(), seconds)
    assert len(repeats) == rounds


def test_preparations_are_not_timed(machine):
    prepared = []

    def prepare():
        prepared.append(machine.wall)
        machine.work(7.0)

    ((first, *_),) = interleave([lambda: machine.work(1.0)], machine.stopwatch(), 0, [prepare])
    assert first.seconds == pytest.approx(1.0)
    assert len(prepared) == LEAST


@pytest.mark.parametrize("seconds", [1e-7, 3e-5, 0.004, 0.1])
def test_calls_make_a_repeat_of_the_length_asked_for(machine, seconds):
    calls = calls_for(lambda n: machine.work(n * seconds), machine.stopwatch(), seconds=0.005)
    assert calls == max(1, round(0.005 / seconds))
