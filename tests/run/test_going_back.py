"""Runs with `go_back`: the line in the log, and the same bits however a run was left."""

import numpy as np
import pytest
from left_runs import SMALL, contents, interrupting_at, lines, stopping_at

from nasdqn_fast.events import Told, WentBack
from nasdqn_fast.run.api import resume, train

# With this seed the first networks learn to balance the pole, and those after them do not.
OPTIONS = SMALL | {
    "seed": 4,
    "episodes": 150,
    "switch_every": 25,
    "architectures": ["1x16-relu", "2x8-tanh"],
    "learning_rates": [3e-3, 1.0],
    "optimizer": "adam",
    "batch_size": 16,
    "gamma": 0.9,
    "policy_epsilon_start": 0.2,
    "policy_epsilon_end": 0.0,
    "transfer": "overlap",
    "replay_capacity": 1_500,
    "replay_keep": 1.0,
    "go_back": True,
    "checkpoint_every": "20",
}
# With several environments, episodes of one segment end in the next.
VARIANTS = {
    "one": {},
    "six": {"num_envs": 6},
    "numpy": {"backend": "numpy"},
    "normalized": {"normalize_observations": True},
}


@pytest.fixture(scope="module", params=VARIANTS.values(), ids=VARIANTS)
def whole(request, tmp_path_factory):
    options = OPTIONS | request.param
    out = tmp_path_factory.mktemp("whole") / "run"
    return options, out, train(**options, out=out)


@pytest.mark.quick_only(whole=VARIANTS["six"])
def test_the_log_says_where_it_went_back(whole):
    _, out, result = whole
    events = lines(out)
    returns = [event for event in events if event["event"] == "return"]
    assert returns
    for event in returns:
        before = events[events.index(event) - 1]
        assert before["event"] == "tell"
        assert (event["segment"], event["episode"]) == (before["segment"], before["episode"])
        assert event["from"] == before["architecture"]
        assert event["note"].startswith("greedy return ")
        after = events[events.index(event) + 1 :]
        if crossing := [one for one in after[:2] if one["event"] == "transfer"]:
            assert crossing[0]["from"] == event["to"]
    assert sum(segment.cost.steps for segment in result.segments) > result.episodes.lengths.sum()


@pytest.mark.quick_only(whole=VARIANTS["six"])
@pytest.mark.parametrize("leave", [interrupting_at, stopping_at])
@pytest.mark.parametrize("kind", [Told, WentBack])
def test_a_run_that_was_left_is_the_run_left_alone(whole, tmp_path, kind, leave):
    options, out, result = whole
    segment = lines(out, "return")[0]["segment"]
    listener = leave(segment if kind is Told else 1, kind)
    if leave is interrupting_at:
        with pytest.raises(KeyboardInterrupt, match="to go on"):
            train(**options, out=tmp_path / "left", progress=listener)
    else:
        assert train(**options, out=tmp_path / "left", progress=listener).status == "stopped: a listener returned STOP"
    again = resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(out)
    np.testing.assert_array_equal(again.network.parameters, result.network.parameters)
