"""Runs with `normalize_observations`: statistics go with the network, through switches, files and checkpoints."""

import numpy as np
import pytest
from left_runs import contents, interrupting_at

from nasdqn_fast.engine import backends
from nasdqn_fast.events import Evaluated, Played, Transferred
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.evaluation import evaluate

SMALL = {
    "method": "random-nas",
    "env": "acrobot",
    "episodes": 12,
    "switch_every": 3,
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu"],
    "warm_up": 10,
    "batch_size": 4,
    "learning_rate": 0.01,
    "replay_capacity": 150,
    "max_episode_steps": 20,
    "seed": 1,
    "normalize_observations": True,
}
EVALUATED = SMALL | {"evaluate_every": 2, "evaluate_episodes": 3}


@pytest.mark.parametrize("num_envs", [1, 2])
@pytest.mark.parametrize("backend", backends.NAMES)
def test_statistics_are_of_the_whole_run_whatever_was_switched(backend, num_envs):
    """Oracle: one observation acted on a step, and those of the next step; the clock counts the steps."""
    events = []
    result = train(**SMALL, backend=backend, num_envs=num_envs, progress=events.append)
    assert sum(isinstance(event, Transferred) for event in events) >= 2
    seen = round(result.network.normalizer.count)
    assert seen % num_envs == 0
    assert result.episodes.lengths.sum() <= seen - num_envs < result.episodes.lengths.sum() + num_envs * 20


@pytest.mark.quick_only(chosen={"num_envs": 3})
@pytest.mark.parametrize("chosen", [{}, {"num_envs": 3}, {"estimator": "greedy"}, {"backend": "numpy"}], ids=str)
def test_a_run_that_was_left_is_the_run_left_alone(tmp_path, chosen):
    whole = train(**EVALUATED | chosen, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(**EVALUATED | chosen, out=tmp_path / "left", progress=interrupting_at(5, Played))
    result = resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")
    for name in ("network", "best_network"):
        states = (getattr(one, name).normalizer.get_state() for one in (result, whole))
        np.testing.assert_equal(*states)


def test_evaluation_moves_no_statistics(tmp_path):
    train(**SMALL, out=tmp_path / "without")
    train(**EVALUATED, out=tmp_path / "with")
    for name in ("episodes.csv", "network.safetensors"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes(), name


def test_the_best_network_is_evaluated_with_the_statistics_that_it_had(tmp_path):
    """Oracle: the statistics of an agent that was stopped there; the file and the last checkpoint hold the same."""
    events = []
    result = train(**EVALUATED, out=tmp_path, progress=events.append)
    best = max((event for event in events if isinstance(event, Evaluated)), key=lambda event: event.mean)
    steps = result.episodes.lengths[: best.episode].sum()
    assert round(result.best_network.normalizer.count) == steps + 1
    from_file = evaluate(tmp_path, 3, network="best").returns, evaluate(tmp_path, 3).returns
    for name in ("network.safetensors", "best_network.safetensors"):
        (tmp_path / name).unlink()
    from_checkpoint = evaluate(tmp_path, 3, network="best").returns, evaluate(tmp_path, 3).returns
    np.testing.assert_array_equal(from_file, from_checkpoint)


@pytest.mark.parametrize("killed", [False, True])
def test_a_new_run_continues_from_an_earlier_ones_statistics(tmp_path, killed):
    earlier = train(**SMALL, out=tmp_path / "earlier")
    if killed:
        (tmp_path / "earlier" / "network.safetensors").unlink()
    for architecture in ("5,3-tanh", "6x6-relu"):  # copied, and carried over
        options = {**SMALL, "method": "fixed", "architectures": None, "architecture": architecture, "episodes": 3}
        later = train(**options, from_=tmp_path / "earlier")
        before = round(earlier.network.normalizer.count)
        assert round(later.network.normalizer.count) == before + later.episodes.lengths.sum() + 1
        frozen = train(**options | {"normalize_observations": False}, from_=tmp_path / "earlier")
        assert round(frozen.network.normalizer.count) == before
