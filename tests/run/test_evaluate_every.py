"""`evaluate_every`: greedy evaluations beside training, and the best network."""

import csv
import json

import numpy as np
import pytest
from left_runs import contents

from nasdqn_fast import envs
from nasdqn_fast.cli import main
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Evaluated, Played
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.evaluation import evaluate
from nasdqn_fast.seeding import Streams

SMALL = {
    "method": "random-nas",
    "env": "cartpole",
    "episodes": 12,
    "switch_every": 4,
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu"],
    "warm_up": 10,
    "batch_size": 4,
    "learning_rate": 0.01,
    "replay_capacity": 150,
    "max_episode_steps": 60,
    "seed": 1,
}
EVALUATED = SMALL | {"evaluate_every": 2, "evaluate_episodes": 3}


@pytest.mark.parametrize("chosen", [{}, {"num_envs": 3}, {"estimator": "greedy"}, {"backend": "numpy"}], ids=str)
def test_training_is_the_same_with_and_without(tmp_path, chosen):
    train(**SMALL | chosen, out=tmp_path / "without")
    train(**EVALUATED | chosen, out=tmp_path / "with")
    for name in ("episodes.csv", "architectures.jsonl", "network.safetensors"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes(), name


def test_each_evaluation_is_told_written_and_counted(tmp_path):
    """Oracle for the best: the last evaluation whose mean is above all before it; `evaluate` plays its network."""
    events = []
    result = train(**EVALUATED, out=tmp_path, progress=events.append)
    told = [event for event in events if isinstance(event, Evaluated)]
    assert [event.episode for event in told] == [2, 4, 6, 8, 10, 12]
    assert list(result.evaluations) == told
    for at, event in enumerate(events):
        if isinstance(event, Evaluated):
            assert isinstance(events[at - 1], Played)
    with (tmp_path / "evaluations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(float(row["return"]), int(row["steps"]), row["architecture"]) for row in rows] == [
        (event.mean, event.steps, str(event.architecture)) for event in told
    ]
    best = max(told, key=lambda event: event.mean)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["evaluation"] == {
        "steps": sum(event.steps for event in told),
        "best": {"episode": best.episode, "return": best.mean, "architecture": str(best.architecture)},
    }
    assert summary["steps"] == int(result.episodes.lengths.sum())
    assert len({event.mean for event in told}) > 1, "equal ones would not tell the best from the last"
    assert QNetwork.load(tmp_path / "best_network.safetensors").architecture == best.architecture
    assert result.times.evaluation > 0


def test_evaluations_have_the_same_starts_and_play_the_network_of_the_moment(tmp_path):
    """Oracle: the agent's own play_episodes with the generators of the stream "evaluation"."""
    train(**SMALL | {"episodes": 6}, out=tmp_path / "short")
    told = []
    train(**EVALUATED, progress=lambda event: told.append(event) if isinstance(event, Evaluated) else None)
    agent = DQNAgent(
        envs.make("cartpole", max_episode_steps=60), QNetwork.load(tmp_path / "short" / "network.safetensors"), rng=0
    )
    streams = Streams(1)
    returns = [agent.play_episodes(1, rng=streams.child("evaluation", i)).returns[0] for i in range(3)]
    assert told[2].mean == np.mean(returns)


def test_runs_of_different_seeds_can_be_evaluated_from_the_same_starts():
    """Oracle: the agent's own play_episodes, with the stream "evaluation" of another seed than the run's."""
    result = train(**EVALUATED | {"episodes": 4, "evaluate_every": 4, "evaluate_seed": 7})
    agent, streams = DQNAgent(result.environment, result.network, rng=0), Streams(7)
    returns = [agent.play_episodes(1, rng=streams.child("evaluation", i)).returns[0] for i in range(3)]
    assert result.evaluations[0].mean == np.mean(returns)
    same = train(**EVALUATED | {"evaluate_seed": EVALUATED["seed"]})
    assert same.evaluations == train(**EVALUATED).evaluations


def test_the_best_network_is_evaluated(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    result = train(**EVALUATED, out="run")
    best = evaluate("run", 4, network="best")
    assert best.source == "best_network.safetensors"
    result.best_network.save("run/network.safetensors")
    np.testing.assert_array_equal(evaluate("run", 4).returns, best.returns)
    assert main(["evaluate", "run", "--network", "best", "--episodes", "4"]) == 0
    assert "4 episodes, network of best_network.safetensors" in capsys.readouterr().out


def test_a_run_without_evaluations_has_no_best_network(tmp_path):
    train(**SMALL, out=tmp_path)
    assert not (tmp_path / "evaluations.csv").exists()
    with pytest.raises(InputError, match="has no best network: nothing was evaluated while it trained"):
        evaluate(tmp_path, network="best")


@pytest.mark.quick_only(event_type=Evaluated, after=2)
@pytest.mark.parametrize("event_type", [Played, Evaluated])
@pytest.mark.parametrize("after", [1, 2, 3, 5])
@pytest.mark.parametrize("chosen", [{}, {"num_envs": 3}, {"backend": "numpy", "episodes": 8}], ids=str)
def test_a_run_that_was_left_is_the_run_left_alone(tmp_path, event_type, after, chosen):
    def leave(event):
        seen.append(isinstance(event, event_type))
        if seen[-1] and sum(seen) == after:
            raise KeyboardInterrupt

    seen = []
    options = EVALUATED | chosen
    if event_type is Evaluated and after > options["episodes"] // 2:
        after = 1
    train(**options, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(**options, out=tmp_path / "left", progress=leave)
    resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


@pytest.mark.parametrize("method", ["random-nas", "fixed-small"])
def test_a_run_that_is_made_longer_is_the_long_run(tmp_path, method):
    train(**EVALUATED | {"method": method}, out=tmp_path / "whole")
    train(**EVALUATED | {"method": method, "episodes": 8}, out=tmp_path / "longer")
    resume(tmp_path / "longer", episodes=12)
    assert contents(tmp_path / "longer") == contents(tmp_path / "whole")


def test_the_best_network_of_a_run_that_goes_on_is_in_its_checkpoint(tmp_path):
    def look(event):
        if isinstance(event, Played):
            seen.append(event)
            if len(seen) == 5:
                looked.append(evaluate(tmp_path / "run", 4, network="best"))

    seen, looked = [], []
    train(**EVALUATED | {"checkpoint_every": "4"}, out=tmp_path / "run", progress=look)
    assert looked[0].source == "the checkpoint after episode 4"
    train(**EVALUATED | {"episodes": 4}, out=tmp_path / "short")
    np.testing.assert_array_equal(looked[0].returns, evaluate(tmp_path / "short", 4, network="best").returns)
