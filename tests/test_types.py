"""The records that rooms hand each other: what they refuse, and their way through a checkpoint."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from nasdqn_fast.types import Cost, Proposal, TransferReport


@pytest.mark.parametrize("source", [None, 3, np.int64(3)])
def test_a_proposal_is_restored_from_plain_values(source):
    proposal = Proposal("2x32-relu", "halving", budget=5, source=source)
    assert Proposal(**json.loads(json.dumps(proposal.get_state()))) == proposal


def test_a_proposal_that_an_earlier_version_saved_has_no_source():
    state = {"architecture": "2x32-relu", "reason": "first", "budget": None}
    assert Proposal(**state) == Proposal("2x32-relu", "first")
    assert Proposal(**state).source is None


@pytest.mark.parametrize(("source", "error"), [(0, ValueError), (-1, ValueError), ("3", TypeError), (True, TypeError)])
def test_a_source_is_the_number_of_a_trial(source, error):
    with pytest.raises(error, match="source must be an integer >= 1"):
        Proposal("2x32-relu", "halving", source=source)


def test_a_cost_is_restored_from_plain_values():
    cost = Cost(steps=1, updates=2, parameters=3, flop=2**70)
    assert Cost.of_state(json.loads(json.dumps(asdict(cost)))) == cost


@pytest.mark.parametrize("name", ["steps", "updates", "parameters", "flop"])
@pytest.mark.parametrize("value", [-1, 1.5, None])
def test_a_cost_that_counts_nothing_is_refused(name, value):
    state = {"steps": 1, "updates": 2, "parameters": 3, "flop": 4} | {name: value}
    with pytest.raises((TypeError, ValueError), match=f"{name} must be an integer >= 0"):
        Cost.of_state(state)


@pytest.mark.parametrize(
    "report",
    [
        TransferReport(0.5, None, None),
        TransferReport(1.0, 0.0, 0.0, accepted=False, steps=400, updates=9, note="worse"),
    ],
)
def test_a_report_is_restored_from_plain_values(report):
    assert TransferReport.of_state(json.loads(json.dumps(asdict(report)))) == report


def test_a_report_that_an_earlier_version_saved_is_of_an_accepted_switch_that_spent_nothing():
    state = {"kept": 0.5, "q_change_mean": 1.0, "q_change_max": 2.0}
    assert TransferReport.of_state(state) == TransferReport(0.5, 1.0, 2.0, True, 0, 0, "")
