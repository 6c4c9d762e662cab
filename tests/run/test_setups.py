"""Runs that search for optimizer and learning rate, too. Oracle: the same run left alone."""

import pytest
from left_runs import interrupting_at, lines

from nasdqn_fast.events import Played
from nasdqn_fast.run.api import resume, train

SMALL = {
    "env": "cartpole",
    "episodes": 14,
    "switch_every": 2,
    "architectures": ["1x4-relu", "5,3-tanh"],
    "optimizers": ("sgd", "adam"),
    "learning_rates": (1e-5, 0.01),
    "warm_up": 10,
    "batch_size": 4,
    "target_every": 20,
    "max_episode_steps": 30,
    "checkpoint_every": "1",
    "seed": 4,
}
FILES = ("config.toml", "episodes.csv", "architectures.jsonl", "network.safetensors")
METHODS = [
    ("random-nas", {"transfer": "net2net"}),
    ("nas-dqn", {"transfer": "distill"}),
    ("bandit", {"learning_rate_schedule": "linear", "steps": 200}),
    ("sarsa", {"controller_options": {"form": "progressive"}}),
]


@pytest.mark.quick_only(after=8)
@pytest.mark.parametrize(("method", "options"), METHODS, ids=str)
@pytest.mark.parametrize("after", [3, 8])
def test_a_run_that_was_left_ends_as_one_that_was_not(tmp_path, method, options, after):
    train(method, **SMALL | options, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(method, **SMALL | options, out=tmp_path / "left", progress=interrupting_at(after, Played))
    resume(tmp_path / "left")
    for name in FILES:
        assert (tmp_path / "left" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    asked = {line["architecture"] for line in lines(tmp_path / "whole", "ask")}
    assert all("+lr=" in name for name in asked)
    assert len({name.partition("+")[2] for name in asked}) >= 2, "what is resumed has changed on the way"


def test_a_limit_and_a_cost_are_of_the_layers(tmp_path):
    about = {"reward_cost": "latency", "reward_weight": 1.0, "max_parameters": 30}
    result = train("random-nas", **SMALL | about)
    assert {str(part.architecture).partition("+")[0] for part in result.segments} == {"1x4-relu"}
    assert set(result.config.reward.latencies) == {"1x4-relu"}
