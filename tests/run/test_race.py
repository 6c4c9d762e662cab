"""Whole runs of method race: their files, how they are left and resumed, and what is refused."""

import csv

import numpy as np
import pytest
from left_runs import TINY, contents, interrupting_at, lines, stopping_at

from nasdqn_fast.cli import main
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Played, Raced
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.evaluation import evaluate

SMALL = TINY | {
    "method": "race",
    "episodes": 20,
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu", "1x8-relu"],
    "race_networks": 3,
    "race_keep": 1,
    "race_halve_every": 6,
    "target_every": 10,
    "checkpoint_every": "2",
}
VARIANTS = {
    "paper": {},
    "lanes": {"num_envs": 3, "target_unit": "steps", "target_every": 12},
    "steps": {"steps": 330, "learning_rate_schedule": "linear"},
    "own optimizers": {"optimizers": ["sgd", "adam"], "learning_rates": [1e-4, 1e-2]},
    "normalized, by priority, in NumPy": {
        "normalize_observations": True,
        "replay_sampling": "prioritized",
        "backend": "numpy",
        "target_tau": 0.3,
    },
}


@pytest.mark.quick_only(kind=Raced, variant=VARIANTS["own optimizers"])
@pytest.mark.quick_only(kind=Played, variant=VARIANTS["lanes"])
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("kind", [Played, Raced])
def test_a_run_that_was_left_is_the_run_left_alone(tmp_path, variant, kind):
    options = SMALL | variant
    whole = train(**options, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt, match="to go on"):
        train(**options, out=tmp_path / "left", progress=interrupting_at(2, kind))
    result = resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")
    assert result.segments == whole.segments
    np.testing.assert_array_equal(result.network.parameters, whole.network.parameters)


def test_one_network_plays_as_method_fixed(tmp_path):
    one = SMALL | {"race_networks": 1, "architectures": ["2x8-relu"], "seed": 4}
    fixed = {key: value for key, value in one.items() if not key.startswith(("race_", "architectures"))}
    train(**one, out=tmp_path / "one", evaluate_every=5)
    train(**fixed | {"method": "fixed", "architecture": "2x8-relu"}, out=tmp_path / "fixed", evaluate_every=5)
    for name in ("episodes.csv", "evaluations.csv", "network.safetensors", "best_network.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "fixed" / name).read_bytes(), name


def test_a_finished_run_continues_as_a_longer_one(tmp_path):
    train(**SMALL | {"episodes": 30}, out=tmp_path / "long")
    train(**SMALL, out=tmp_path / "short")
    resume(tmp_path / "short", episodes=30)
    assert contents(tmp_path / "short") == contents(tmp_path / "long")


def test_a_listener_ends_it_and_it_can_go_on(tmp_path):
    train(**SMALL, out=tmp_path / "run")
    short = train(**SMALL, out=tmp_path / "stopped", progress=stopping_at(1, Raced))
    assert short.status == "stopped: a listener returned STOP"
    assert len(short.episodes) < 20
    resume(tmp_path / "stopped")
    assert contents(tmp_path / "stopped")["episodes.csv"] == contents(tmp_path / "run")["episodes.csv"]


def test_the_directory_tells_who_raced_and_who_left(tmp_path):
    result = train(**SMALL, out=tmp_path / "run")
    first, drawn, *events, last = lines(tmp_path / "run")
    assert (first["event"], drawn["event"], last["event"]) == ("ask", "population", "tell")
    networks, left = [one["architecture"] for one in drawn["networks"]], {0, 1, 2}
    assert len(set(networks)) == 3
    for event in events:
        assert event["event"] == "race"
        assert {int(k) for k in event["scores"]} == left
        scores = {int(k): score for k, score in event["scores"].items()}
        assert event["network"] == max(scores, key=scores.get)
        assert event["architecture"] == networks[event["network"]]
        left -= set(event["retired"])
        assert min(scores[k] for k in left) >= max((scores[k] for k in event["retired"]), default=-np.inf)
    assert len(left) == 1
    with (tmp_path / "run" / "episodes.csv").open() as file:
        acted = [row["architecture"] for row in csv.DictReader(file)]
    assert set(acted) == set(networks)
    (segment,) = result.segments
    assert segment.cost.steps == result.episodes.lengths.sum()
    assert str(segment.architecture) == str(result.network.architecture) == last["architecture"] == networks[left.pop()]
    assert evaluate(tmp_path / "run", 3).network.architecture == result.network.architecture


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transfer": "distill"}, "transfer must be left out, as it has no effect, with method 'race'; got 'distill'"),
        ({"switch_every": 3}, "switch_every must be left out"),
        ({"controller_options": {"temperature": 2.0}}, "method 'race' has no controller, nor options of one"),
        ({"from_": "somewhere"}, "from_ must be left out with method 'race', whose networks all begin anew"),
        ({"architecture": "2x8-relu"}, "architecture goes with method fixed"),
        ({"race_keep": 4}, "race_keep must be at most race_networks (3); got 4"),
        ({"race_networks": 0}, "race_networks must be an integer from 1 to 1024; got 0"),
        ({"race_temperature": 0}, "race_temperature must be"),
        (
            {"method": "random-nas"},
            "race_networks must be left out, as it goes with method race, with method 'random-nas'; got 3; drop it",
        ),
    ],
)
def test_what_has_no_effect_or_no_meaning_is_refused_in_one_line(tmp_path, options, message):
    with pytest.raises(InputError) as refused:
        train(**SMALL | options, out=tmp_path / "run")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_the_command_line_names_its_options(tmp_path, capsys):
    common = ["train", "--method", "race", "--episodes", "2", "--out", str(tmp_path / "run")]
    assert main([*common, "--race-networks", "2", "--race-keep", "3"]) == 2
    error = capsys.readouterr().err
    assert "--race-keep must be at most --race-networks (2); got 3" in error
    assert error.count("\n") == 1
    assert main([*common, "--race-networks", "2", "--env", "cartpole"]) == 0
