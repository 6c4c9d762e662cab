"""The ratios of peers and of overhead, of repeats made by hand."""

import numpy as np
import pytest

from nasdqn_fast.benchmarking.case import Case
from nasdqn_fast.benchmarking.figure import Unit
from nasdqn_fast.benchmarking.groups import overhead
from nasdqn_fast.benchmarking.measure import Repeat
from nasdqn_fast.benchmarking.session import Session, Timing

BRACKET = 0.001  # s


@pytest.fixture
def session(machine):
    stopwatch = machine.stopwatch()
    stopwatch.time(lambda: machine.work(1.0))
    return Session(stopwatch, seconds=0)


def repeats(seconds, disturbed=()):
    return [Repeat(s, 1.0, BRACKET * (2.0 if i in disturbed else 1.0)) for i, s in enumerate(seconds)]


def timing(name, seconds, disturbed=()):
    return Timing(Case(name, Unit.STEPS, run=lambda n: None), 1, repeats(seconds, disturbed))


def test_a_peer_that_takes_twice_as_long_is_beaten_by_two(session):
    """Round by round: where one is slow both are, and the ratio does not scatter."""
    ours = np.array([1.0, 1.5, 1.0, 1.2, 1.1])
    figure = session.ratio("peers", "ours is faster by", timing("ours", ours), timing("peer", 2 * ours))
    assert (figure.value, figure.low, figure.high) == pytest.approx((2.0, 2.0, 2.0))


def test_a_round_counts_if_both_were_undisturbed(session):
    ours = timing("ours", [1.0, 9.0, 1.0, 1.0, 1.0], disturbed=[1])
    peer = timing("peer", [2.0, 2.0, 9.0, 2.0, 2.0], disturbed=[2])
    figure = session.ratio("peers", "ours is faster by", ours, peer)
    assert figure.values == pytest.approx((2.0, 2.0, 2.0))
    assert (figure.repeats, figure.disturbed) == (5, 2)


def test_overhead_is_searching_over_fixed(session):
    fixed = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    searching = repeats(1.02 * fixed, disturbed=[4])
    share, ratio = overhead._figures(session, "nas-dqn", overhead.Comparison(searching, repeats(fixed), 0.0204))
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1.02, 1.02, 1.02))
    assert (ratio.repeats, ratio.disturbed) == (5, 1)
    assert share.value == pytest.approx(0.1)  # %, of the whole run: 0.0204 s of 20.4 s
