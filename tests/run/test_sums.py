"""Runs whose transfer is `inject`: their records and files, and what can be done with a run that is left with a sum."""

import numpy as np
import pytest
from left_runs import TINY, lines, stopping_at

import nasdqn_fast
from nasdqn_fast.cli.app import main
from nasdqn_fast.engine import QNetwork
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Folded, Played
from nasdqn_fast.run.api import resume, train

FOLD = {"steps": 10, "fold_after": 10**6}
SMALL = TINY | {
    "method": "random-nas",
    "transfer": "inject",
    "transfer_options": FOLD,
    "episodes": 9,
    "switch_every": 3,
    "replay_capacity": 200,
    "seed": 6,  # with which it switches twice
}


def test_folds_are_recorded_and_the_network_at_the_end_is_one(tmp_path):
    result = train(**SMALL, out=tmp_path / "run")
    switches, folds = lines(tmp_path / "run", "transfer"), lines(tmp_path / "run", "fold")
    assert [fold["architecture"] for fold in folds] == [switch["to"] for switch in switches]
    assert [(fold["segment"], fold["episode"], fold["updates"]) for fold in folds] == [(2, 6, 10), (3, 9, 10)]
    assert all(
        switch["q_change_max"] < 1e-6 < fold["q_change_max"] for switch, fold in zip(switches, folds, strict=True)
    )
    assert not result.network.base
    assert not QNetwork.load(tmp_path / "run" / "network.safetensors").base
    assert all(segment.transfer.updates == 0 for segment in result.segments[1:])  # that of the switch
    assert [segment.cost.updates for segment in result.segments[1:]] == [
        int(result.episodes.lengths[segment.first - 1 : segment.last].sum()) + 10 for segment in result.segments[1:]
    ]


@pytest.mark.parametrize("leaving", [4, 5, 7])
def test_a_run_that_is_stopped_with_a_sum_saves_it_and_is_continued_to_the_bit(tmp_path, leaving):
    whole = train(**SMALL, out=tmp_path / "whole")
    stopped = train(**SMALL, out=tmp_path / "left", progress=stopping_at(leaving, Played))
    left = QNetwork.load(tmp_path / "left" / "network.safetensors")
    assert len(left.base) == 2
    states = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    np.testing.assert_array_equal(left.forward(states), stopped.network.forward(states))
    assert len(nasdqn_fast.evaluate(tmp_path / "left", 3).returns) == 3
    result = resume(tmp_path / "left")
    assert result.network.parameters.tobytes() == whole.network.parameters.tobytes()
    for name in ("episodes.csv", "architectures.jsonl"):
        assert (tmp_path / "left" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_the_best_network_by_evaluation_may_be_a_sum_and_is_resumed_as_one(tmp_path):
    """Oracle: the run left alone. With a memory that never fills the first evaluation is the best."""
    options = SMALL | {"evaluate_every": 5, "evaluate_episodes": 2, "episodes": 6}
    whole = train(**options, out=tmp_path / "whole")
    train(**options, out=tmp_path / "left", progress=stopping_at(5, Played))
    resume(tmp_path / "left")
    best = [(tmp_path / run / "best_network.safetensors").read_bytes() for run in ("whole", "left")]
    assert best[0] == best[1]
    assert len(whole.best_network.base) == 2
    assert not whole.network.base


def test_a_listener_that_raises_at_a_fold_loses_nothing(tmp_path):
    def listener(event):
        if isinstance(event, Folded):
            raise RuntimeError("mine")

    whole = train(**SMALL, out=tmp_path / "whole")
    with pytest.raises(RuntimeError, match="mine"):
        train(**SMALL, out=tmp_path / "left", progress=listener)
    assert resume(tmp_path / "left").network.parameters.tobytes() == whole.network.parameters.tobytes()
    recorded = [(tmp_path / run / "architectures.jsonl").read_bytes() for run in ("left", "whole")]
    assert recorded[0] == recorded[1]


def test_a_warm_start_injects_and_folds_at_the_end_of_the_first_segment(tmp_path):
    fixed = SMALL | {"method": "fixed", "architecture": "6,5-tanh", "episodes": 3}
    for name in ("transfer", "transfer_options", "architectures", "switch_every"):
        fixed.pop(name)
    train(**fixed, out=tmp_path / "earlier")
    folds = []
    result = train(
        **SMALL, from_=tmp_path / "earlier", progress=lambda event: isinstance(event, Folded) and folds.append(event)
    )
    assert [(fold.segment, fold.episode) for fold in folds] == [(1, 3), (2, 6), (3, 9)]
    assert not result.network.base


def test_a_sum_is_no_warm_start_and_no_export(tmp_path, capsys):
    train(**SMALL, out=tmp_path / "left", progress=stopping_at(4, Played))
    message = (
        r"the network in '.*left' is a sum with frozen networks, which is folded at the end of a segment; continue"
    )
    with pytest.raises(InputError, match=message):
        train(**SMALL, from_=tmp_path / "left")
    pytest.importorskip("onnx")
    assert main(["export", str(tmp_path / "left"), "--to", str(tmp_path / "there"), "--episodes", "2"]) == 2
    assert "is a sum of 3 networks (transfer inject), which has no form outside this" in capsys.readouterr().err
    assert not (tmp_path / "there").exists()
