"""Gathering events into a result."""

import json

import numpy as np

from nasdqn_fast.events import Asked, Played, Told, Transferred
from nasdqn_fast.run.result import Recorder, Segment
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Cost, Episodes, Proposal, Result, TransferReport

SMALL, LARGE, ALTERED = (Architecture.parse(text) for text in ("2x32-relu", "4x128-relu", "3x64-tanh"))
COST = Cost(steps=3, updates=2, parameters=1, flop=10**20)  # more than 64 bits hold
REPORT = TransferReport(kept=0.5, q_change_mean=1.0, q_change_max=2.0)


def played(*returns):
    values = np.array(returns, dtype=float)
    return Played(SMALL, Episodes(values, values.astype(np.int64), values, values))


def told(segment, episode, score):
    return Told(segment, episode, Result(Proposal(SMALL, "first"), SMALL, score, np.array([score]), COST))


def recorded(*events):
    recorder = Recorder()
    for event in events:
        recorder(event)
    return recorder


FIRST_SEGMENT = (Asked(1, 1, Proposal(SMALL, "first")), played(1, 2), played(3), told(1, 3, 2.0))


def test_a_segment_is_what_lies_between_ask_and_tell():
    assert recorded(*FIRST_SEGMENT).segments() == (Segment(SMALL, "first", 1, 3, score=2.0, cost=COST),)


def test_a_segment_has_the_architecture_that_came_of_the_transfer():
    switch = (Asked(2, 4, Proposal(LARGE, "explore")), Transferred(2, SMALL, ALTERED, REPORT))
    recorder = recorded(*FIRST_SEGMENT, *switch, played(5))
    assert recorder.segments()[1] == Segment(ALTERED, "explore", 4, 4, score=None, transfer=REPORT)


def test_a_segment_that_had_no_episode_is_none():
    recorder = recorded(*FIRST_SEGMENT, Asked(2, 4, Proposal(LARGE, "explore")))
    assert len(recorder.segments()) == 1


def test_episodes_come_together_in_order():
    np.testing.assert_array_equal(recorded(*FIRST_SEGMENT).episodes().returns, [1, 2, 3])


def test_before_the_first_episode_there_are_none():
    assert len(recorded().episodes()) == 0


def test_a_segment_is_restored_from_plain_values():
    refused = TransferReport(1.0, None, None, accepted=False, steps=400, updates=9, note="worse by 3.1")
    segment = Segment(SMALL, "explore", 4, 9, score=1.5, transfer=refused, cost=COST)
    assert Segment.of_state(json.loads(json.dumps(segment.get_state()))) == segment


def test_a_segment_that_an_earlier_version_saved_is_restored():
    transfer = {"kept": 0.5, "q_change_mean": 1.0, "q_change_max": 2.0}
    state = {"architecture": str(SMALL), "reason": "first", "first": 1, "last": 3, "score": 2.0, "transfer": transfer}
    assert Segment.of_state(state) == Segment(SMALL, "first", 1, 3, score=2.0, transfer=REPORT, cost=None)
