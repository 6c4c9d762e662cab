"""Whole runs of methods supernet and gradient: their files, how they are left and resumed, and what is refused."""

import json

import numpy as np
import pytest
from left_runs import TINY, contents, interrupting_at, lines

from nasdqn_fast.cli import main
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Asked, Played, PolicyMoved, Ranked, Told
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.evaluation import evaluate
from nasdqn_fast.search.path_policy import PathPolicy
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.statistics.ranks import score_agreement

SMALL = TINY | {
    "method": "supernet",
    "episodes": 12,
    "architectures": ["1x4-relu", "2x8-tanh", "2x8-leaky_relu", "5,3-tanh"],
    "supernet_paths": 3,
    "supernet_score_episodes": 3,
    "target_every": 10,
    "checkpoint_every": "2",
}
VARIANTS = {
    "paper": {},
    "lanes": {"num_envs": 3, "target_unit": "steps", "target_every": 12},
    "steps": {"steps": 330, "learning_rate_schedule": "linear", "optimizer": "adam"},
    "normalized, by priority, in NumPy": {
        "normalize_observations": True,
        "replay_sampling": "prioritized",
        "backend": "numpy",
        "supernet_sampling": "uniform",
        "supernet_distill": False,
    },
    "gradient": {"method": "gradient", "gradient_every": 3, "gradient_episodes": 2},
    "gradient, lanes": {"method": "gradient", "gradient_every": 2, "gradient_samples": 2, "num_envs": 3},
}


@pytest.mark.quick_only(backend="native")
@pytest.mark.parametrize("backend", backends.NAMES)
def test_with_one_architecture_it_is_method_fixed_to_the_bit(tmp_path, backend):
    """Oracle: method fixed; the ranking costs its greedy episodes."""
    one = SMALL | {"architectures": ["2x8-relu"], "seed": 4, "backend": backend}
    fixed = {key: value for key, value in one.items() if key != "architectures" and not key.startswith("supernet_")}
    train(**one, out=tmp_path / "one", evaluate_every=5)
    train(**fixed | {"method": "fixed", "architecture": "2x8-relu"}, out=tmp_path / "fixed", evaluate_every=5)
    for name in ("episodes.csv", "evaluations.csv", "network.safetensors"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "fixed" / name).read_bytes(), name
    ours, theirs = (
        json.loads((tmp_path / run / "summary.json").read_text())["segments"][0]["cost"] for run in ("one", "fixed")
    )
    _, ranking, _ = lines(tmp_path / "one")
    macs = 4 * 8 + 8 * 8 + 8 * 2
    assert ours.pop("steps") == theirs.pop("steps") + ranking["steps"]
    assert ours.pop("flop") == theirs.pop("flop") + 2 * macs * ranking["steps"]
    assert ours == theirs


@pytest.mark.quick_only(variant=VARIANTS["lanes"])
@pytest.mark.quick_only(variant=VARIANTS["gradient"])
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_a_run_that_was_left_is_the_run_left_alone(tmp_path, variant):
    options = SMALL | variant
    whole = train(**options, out=tmp_path / "whole")
    kinds = [(2, Played), (1, Ranked)] + [(2, PolicyMoved)] * ("gradient_every" in variant)
    for number, kind in kinds:
        left = tmp_path / kind.__name__
        with pytest.raises(KeyboardInterrupt):
            train(**options, out=left, progress=interrupting_at(number, kind))
        result = resume(left)
        assert contents(left) == contents(tmp_path / "whole")
        assert result.segments == whole.segments
        assert result.ranking == whole.ranking


def test_a_finished_run_continues_as_a_longer_one(tmp_path):
    train(**SMALL | {"episodes": 20}, out=tmp_path / "long")
    train(**SMALL, out=tmp_path / "short")
    resume(tmp_path / "short", episodes=20)
    assert contents(tmp_path / "short") == contents(tmp_path / "long")


def test_every_architecture_is_ranked_by_greedy_episodes_of_its_slice(tmp_path):
    """Oracle: the episodes of the networks that a supernet, trained by itself, has for its paths."""
    events = []
    result = train(**SMALL, out=tmp_path / "run", progress=events.append)
    assert [type(event) for event in events if not isinstance(event, Played)] == [Asked, Ranked, Told]
    asked, ranking, tell = lines(tmp_path / "run")
    assert asked["architecture"] == tell["architecture"] == str(result.network.architecture) == "2x8-tanh"
    assert set(ranking["scores"]) == set(SMALL["architectures"])
    assert list(ranking["scores"].values()) == sorted(ranking["scores"].values(), reverse=True)
    assert ranking["scores"] == {str(one): score for one, score in result.ranking}
    (ranked,) = (event for event in events if isinstance(event, Ranked))
    assert ranked.network.architecture == result.ranking[0][0] == result.best_network.architecture
    np.testing.assert_array_equal(ranked.network.parameters, result.best_network.parameters)
    assert evaluate(tmp_path / "run", 3, network="best").network.architecture == ranked.network.architecture
    assert result.segments[0].cost.steps == result.episodes.lengths.sum() + ranking["steps"]
    agreement = score_agreement(dict(result.ranking), dict(result.ranking))
    assert (agreement.tau, agreement.n) == (1.0, 4)


@pytest.mark.parametrize("method", ["supernet", "gradient"])
def test_nothing_above_the_limit_on_parameters_is_in_it(method):
    """Oracle: the run over the space without what the limit takes out."""
    own = {"gradient_every": 3} if method == "gradient" else {}
    options = SMALL | {"method": method, "architectures": ["1x4-relu", "9x9-relu", "5,3-tanh", "2x4-tanh"]} | own
    limited = train(**options, max_parameters=100)
    left = train(**options | {"architectures": ["1x4-relu", "5,3-tanh", "2x4-tanh"]})
    assert limited.ranking == left.ranking
    assert limited.segments == left.segments
    assert {one.parameter_count(4, 2) <= 100 for one, _ in limited.ranking} == {True}


def test_two_paths_make_a_sandwich_where_the_limit_leaves_two_architectures():
    options = SMALL | {"architectures": ["1x4-relu", "9x9-relu", "5,3-tanh"], "supernet_paths": 2}
    result = train(**options, max_parameters=51)
    assert {str(one) for one, _ in result.ranking} == {"1x4-relu", "5,3-tanh"}


def test_the_policy_of_gradient_follows_the_scores_it_is_told(tmp_path):
    """Oracle: the policy, told what the directory says was scored."""
    options = SMALL | VARIANTS["gradient"]
    result = train(**options, out=tmp_path / "run")
    asked, *moved, ranking, _ = lines(tmp_path / "run")
    space, streams = SearchSpace(SMALL["architectures"]), Streams(0)
    policy = PathPolicy(space, rate=0.5, entropy=0.01)
    assert [event["episode"] for event in moved] == [3, 6, 9]
    for event in moved:
        drawn = policy.draw(4, streams.child("controller", event["episode"]))
        assert set(event["scores"]) == {str(space[k]) for k in drawn}
        policy.learn(drawn, np.array([event["scores"][str(space[k])] for k in drawn]))
        assert event["probabilities"] == policy.marginals
    assert asked["reason"] == "gradient"
    assert ranking["architecture"] == str(policy.best) == str(result.best_network.architecture)
    greedy = sum(event["steps"] for event in [*moved, ranking])
    assert result.segments[0].cost.steps == result.episodes.lengths.sum() + greedy


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"transfer": "distill"}, "transfer must be left out, as it has no effect, with method 'supernet'"),
        ({"switch_every": 3}, "switch_every must be left out"),
        ({"controller_options": {"temperature": 2.0}}, "method 'supernet' has no controller, nor options of one"),
        ({"from_": "somewhere"}, "from_ must be left out with method 'supernet', whose network begins anew"),
        ({"adadqn_networks": 3}, "adadqn_networks must be left out, as it goes with method adadqn"),
        ({"architecture": "2x8-relu"}, "architecture goes with method fixed"),
        ({"supernet_paths": 2}, "supernet_paths must be at least 3 with supernet_sampling sandwich: the largest, the"),
        (
            {"supernet_paths": 1, "architectures": ["1x4-relu", "2x8-tanh"]},
            "supernet_paths must be at least 3 with supernet_sampling sandwich",
        ),
        ({"supernet_paths": 0}, "supernet_paths must be an integer from 1 to 1024; got 0"),
        ({"supernet_sampling": "random"}, "supernet_sampling"),
        (
            {"method": "adadqn"},
            "supernet_paths must be left out, as it goes with method supernet or gradient, with method 'adadqn'; got 3",
        ),
        ({"optimizers": ["adam", "sgd"]}, "optimizers must be left out, as it has no effect, with method 'supernet'"),
        ({"learning_rates": [0.1, 0.2]}, "learning_rates must be left out, as it has no effect, with method"),
        (
            {"reward_cost": "flop", "reward_weight": 1.0},
            "reward_cost must be left out with method 'supernet', which tells no controller a score",
        ),
        ({"max_parameters": 10}, "max_parameters must be at least 30, those of 1x4-relu, the smallest"),
        ({"gradient_every": 5}, "gradient_every must be left out, as it goes with method gradient, with method"),
        ({"method": "gradient", "gradient_samples": 1}, "gradient_samples must be an integer from 2 to 1024; got 1"),
        ({"method": "gradient", "gradient_rate": 0.0}, "gradient_rate"),
    ],
)
def test_what_has_no_effect_or_no_meaning_is_refused_in_one_line(tmp_path, options, message):
    with pytest.raises(InputError) as refused:
        train(**SMALL | options, out=tmp_path / "run")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_the_command_line_shows_the_best(tmp_path, capsys):
    common = ["train", "--method", "supernet", "--env", "cartpole", "--episodes", "2", "--out", str(tmp_path / "run")]
    assert main([*common, "--supernet-paths", "1"]) == 2
    error = capsys.readouterr().err
    assert "--supernet-paths must be at least 3 with --supernet-sampling sandwich" in error
    assert error.count("\n") == 1
    small = ["--widths", "4,8", "--supernet-paths", "3", "--supernet-score-episodes", "1", "--no-supernet-distill"]
    assert main([*common, *small]) == 0
    shown = capsys.readouterr().out
    assert "best 5 of 18" in shown
    assert "mean of 1 greedy episodes" in shown


def test_the_command_line_names_what_the_policy_decided_for(tmp_path, capsys):
    """Nothing is learned, so that all are as probable, and the first of the space is chosen; it is not the best."""
    settings = ["--env", "cartpole", "--episodes", "2", "--widths", "4,8", "--supernet-score-episodes", "3"]
    assert main(["train", "--method", "gradient", *settings, "--out", str(tmp_path / "run")]) == 0
    (ranking,) = lines(tmp_path / "run", "ranking")
    assert next(iter(ranking["scores"])) != ranking["architecture"] == "2x4-relu"
    assert "decided for by the policy: 2x4-relu" in capsys.readouterr().out
