"""Whole runs of method adadqn: their files, how they are left and resumed, and what is refused."""

import csv
import json

import numpy as np
import pytest
from left_runs import TINY, contents, interrupting_at, lines, stopping_at

from nasdqn_fast.cli import main
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Played, Replaced, TargetChosen
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.evaluation import evaluate

SMALL = TINY | {
    "method": "adadqn",
    "episodes": 12,
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu", "1x8-relu"],
    "adadqn_networks": 4,
    "adadqn_replace_every": 20,
    "target_every": 10,
    "checkpoint_every": "2",
}
VARIANTS = {
    "paper": {},
    "lanes": {"num_envs": 3, "target_unit": "steps", "target_every": 12, "adadqn_replace_every": 24},
    "steps": {"steps": 330, "learning_rate_schedule": "linear"},
    "own optimizers": {"adadqn_optimizers": ["sgd", "adam"], "adadqn_learning_rates": [1e-4, 1e-2]},
    "normalized, by priority, in NumPy": {
        "normalize_observations": True,
        "replay_sampling": "prioritized",
        "backend": "numpy",
        "double": False,
    },
}


@pytest.mark.quick_only(backend="native")
@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_one_network_is_method_fixed_to_the_bit(tmp_path, backend):
    one = SMALL | {"adadqn_networks": 1, "architectures": ["2x8-relu"], "seed": 4, "backend": backend}
    names = ("adadqn_networks", "adadqn_replace_every", "architectures")
    fixed = {key: value for key, value in one.items() if key not in names}
    fixed |= {"method": "fixed", "architecture": "2x8-relu"}
    train(**one, out=tmp_path / "one", evaluate_every=5)
    train(**fixed, out=tmp_path / "fixed", evaluate_every=5)
    for name in ("episodes.csv", "evaluations.csv", "network.safetensors", "best_network.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "fixed" / name).read_bytes(), name
    ours, theirs = (json.loads((tmp_path / run / "summary.json").read_text()) for run in ("one", "fixed"))
    assert ours["segments"][0]["cost"] == theirs["segments"][0]["cost"]


@pytest.mark.quick_only(kind=TargetChosen, variant=VARIANTS["own optimizers"])
@pytest.mark.quick_only(kind=Replaced, variant=VARIANTS["lanes"])
@pytest.mark.quick_only(kind=Played, variant=VARIANTS["steps"])
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("kind", [Played, TargetChosen, Replaced])
def test_a_run_that_was_left_is_the_run_left_alone(tmp_path, variant, kind):
    options = SMALL | variant
    whole = train(**options, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt, match="to go on"):
        train(**options, out=tmp_path / "left", progress=interrupting_at(2, kind))
    with pytest.raises(KeyboardInterrupt, match="to go on"):
        resume(tmp_path / "left", progress=interrupting_at(3, Played))
    result = resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")
    assert result.segments == whole.segments
    np.testing.assert_array_equal(result.network.parameters, whole.network.parameters)


def test_a_finished_run_continues_as_a_longer_one(tmp_path):
    train(**SMALL | {"episodes": 20}, out=tmp_path / "long")
    train(**SMALL, out=tmp_path / "short")
    resume(tmp_path / "short", episodes=20)
    long, short = contents(tmp_path / "long"), contents(tmp_path / "short")
    assert short == long


def test_its_config_repeats_it_and_a_listener_ends_it(tmp_path):
    train(**SMALL, out=tmp_path / "run")
    train(config=tmp_path / "run" / "config.toml", out=tmp_path / "again")
    assert contents(tmp_path / "again") == contents(tmp_path / "run")
    short = train(**SMALL, out=tmp_path / "stopped", progress=stopping_at(1, TargetChosen))
    assert short.status == "stopped: a listener returned STOP"
    assert len(short.episodes) < 12
    resume(tmp_path / "stopped")
    assert contents(tmp_path / "stopped")["episodes.csv"] == contents(tmp_path / "run")["episodes.csv"]


def test_the_directory_tells_what_was_chosen_and_replaced(tmp_path):
    result = train(**SMALL, out=tmp_path / "run")
    first, drawn, *events, last = lines(tmp_path / "run")
    assert (first["event"], drawn["event"], last["event"]) == ("ask", "population", "tell")
    networks, replaced = [one["architecture"] for one in drawn["networks"]], 0
    assert len(networks) == 4
    assert first["architecture"] == networks[0]
    for event in events:
        if event["event"] == "target":
            assert event["network"] == int(np.argmin(event["losses"]))
            assert event["updates"] % 10 == 0
            assert event["architecture"] == networks[event["network"]]
        else:
            assert event["event"] == "replace"
            assert event["updates"] % 20 == 0
            assert event["from"] == {"architecture": networks[event["network"]]}
            networks[event["network"]] = event["to"]["architecture"]
            replaced += 1
    assert replaced > 3
    with (tmp_path / "run" / "episodes.csv").open() as file:
        assert {row["architecture"] for row in csv.DictReader(file)} <= set(SMALL["architectures"])
    (segment,) = result.segments
    assert segment.cost.steps == result.episodes.lengths.sum()
    chosen = [event for event in events if event["event"] == "target"][-1]["architecture"]
    assert str(segment.architecture) == str(result.network.architecture) == chosen == last["architecture"]
    assert evaluate(tmp_path / "run", 3).network.architecture == result.network.architecture


def test_a_run_of_so_many_steps_ends_there():
    result = train(**SMALL | {"steps": 100})
    assert result.segments[0].cost.steps == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"transfer": "distill"},
            "transfer must be left out, as it has no effect, with method 'adadqn'; got 'distill'; drop it",
        ),
        ({"estimator": "greedy"}, "estimator must be left out"),
        ({"switch_every": 3}, "switch_every must be left out"),
        ({"replay_keep": 0.5}, "replay_keep must be left out"),
        ({"controller_temperature": 2.0}, "controller_temperature must be left out"),
        ({"controller_options": {"temperature": 2.0}}, "method 'adadqn' has no controller, nor options of one"),
        ({"transfer_options": {"steps": 3}}, "method 'adadqn' has no transfer, nor options of one"),
        ({"estimator_options": {"episodes": 3}}, "method 'adadqn' has no estimator, nor options of one"),
        ({"from_": "somewhere"}, "from_ must be left out with method 'adadqn', whose networks all begin anew"),
        ({"architecture": "2x8-relu"}, "architecture goes with method fixed"),
        (
            {"adadqn_replace_every": 25},
            "adadqn_replace_every must be a multiple of target_every (10), or 0; got 25; networks are compared",
        ),
        ({"target_tau": 0.5}, "target_tau must be 1 with method 'adadqn': networks of different layers have no mean"),
        ({"adadqn_networks": 0}, "adadqn_networks must be an integer from 1 to 1024; got 0"),
        ({"adadqn_learning_rates": [1e-2, 1e-3]}, "adadqn_learning_rates must be two numbers, the lowest and the"),
        ({"adadqn_optimizers": ["adamw"]}, "adadqn_optimizers[0]"),
        (
            {"method": "random-nas"},
            "adadqn_networks must be left out, as it goes with method adadqn, with method 'random-nas'; got 4; drop it",
        ),
    ],
)
def test_what_has_no_effect_or_no_meaning_is_refused_in_one_line(tmp_path, options, message):
    with pytest.raises(InputError) as refused:
        train(**SMALL | options, out=tmp_path / "run")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_one_network_may_have_a_target_that_follows_by_parts():
    train(**SMALL | {"adadqn_networks": 1, "target_tau": 0.5, "adadqn_replace_every": 7})


def test_the_command_line_names_its_options(tmp_path, capsys):
    common = ["train", "--method", "adadqn", "--episodes", "2", "--out", str(tmp_path / "run")]
    for given, message in [
        (["--transfer", "distill"], "--transfer must be left out, as it has no effect, with --method 'adadqn'"),
        (["--controller-option", "c=1"], "method 'adadqn' has no controller, nor options of one"),
        (["--target-every", "300"], "--adadqn-replace-every must be a multiple of"),
    ]:
        assert main([*common, *given]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert main([*common, "--adadqn-networks", "2", "--adadqn-optimizers", "adam", "--env", "cartpole"]) == 0
