"""How often a run is saved."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.storage.cadence import Cadence, Schedule


@pytest.fixture
def clock(monkeypatch):
    """The monotonic clock, to be set; the others are out of order, for a run may not ask them."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "time", lambda: 1 / 0)
    return now


@pytest.mark.parametrize(
    ("text", "cadence"),
    [
        ("25", Cadence(episodes=25)),
        (25, Cadence(episodes=25)),
        ("30s", Cadence(seconds=30.0)),
        ("0.5s", Cadence(seconds=0.5)),
        ("never", Cadence()),
    ],
)
def test_a_cadence_is_read(text, cadence):
    assert Cadence.parse("every", text) == cadence


@pytest.mark.parametrize(
    "value", ["", "0", "-1", "0s", "1.5", "30 s", "30m", "nan", "1e3s", "infs", None, 2.5, True, [25]]
)
def test_anything_else_is_refused(value):
    with pytest.raises(ValueError, match="every must be a number of episodes, as 25, of seconds"):
        Cadence.parse("every", value)


@given(st.integers(1, 9), st.integers(0, 30))
def test_every_so_many_episodes_is_at_their_multiples_wherever_the_run_goes_on(every, first):
    schedule, saved = Schedule(Cadence(episodes=every), first), []
    for episodes in range(first + 1, 60):
        if schedule.due(episodes):
            saved.append(episodes)
            schedule.saved(episodes, 1e9)
    assert saved == [n for n in range(first + 1, 60) if n % every == 0]


def test_every_so_many_seconds(clock):
    schedule = Schedule(Cadence(seconds=30), 0)
    found = []
    for second in range(100, 200, 5):
        clock[0] = second
        if schedule.due(second):
            found.append(second)
            schedule.saved(second, 0.01)
    assert found == [130, 160, 190]


def test_saving_that_is_slow_is_done_less_often(clock):
    schedule = Schedule(Cadence(seconds=30), 0)
    schedule.saved(1, 2.0)
    clock[0] += 199.9
    assert not schedule.due(2)
    clock[0] += 0.2
    assert schedule.due(2)


def test_never_is_never(clock):
    schedule = Schedule(Cadence(), 0)
    clock[0] += 1e9
    assert not schedule.due(10**9)
