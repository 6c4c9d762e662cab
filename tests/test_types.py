"""The records that rooms hand each other: what they refuse, and their way through a checkpoint."""

import json

import numpy as np
import pytest

from nasdqn_fast.types import Proposal, TransferReport


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


def test_a_report_that_an_earlier_version_saved_is_of_an_accepted_switch_that_spent_nothing():
    state = {"kept": 0.5, "q_change_mean": 1.0, "q_change_max": 2.0}
    assert TransferReport(**state) == TransferReport(0.5, 1.0, 2.0, True, 0, 0, "")
