"""Whole runs through `nasdqn_fast.train`, and the directory they write."""

import csv
import itertools
import json

import numpy as np
import pytest
from left_runs import interrupting_at, lines

from nasdqn_fast import envs, optimal
from nasdqn_fast.config import complete, resolve
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.errors import InputError, NonFiniteError
from nasdqn_fast.events import Played
from nasdqn_fast.metrics import run_metrics
from nasdqn_fast.run.api import train
from nasdqn_fast.run.assembly import make_environment, make_trainer
from nasdqn_fast.run.evaluation import evaluate

TIMELESS = ("config.toml", "episodes.csv", "architectures.jsonl", "network.safetensors")
SMALL = {
    "method": "random-nas",
    "env": "cartpole",
    "episodes": 6,
    "switch_every": 2,
    "architectures": ["1x4-relu", "5,3-tanh"],
    "warm_up": 10,
    "batch_size": 4,
    "max_episode_steps": 30,
}


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_equal_runs_write_equal_files(tmp_path, backend):
    for name in ("a", "b"):
        train(**SMALL, seed=5, backend=backend, out=tmp_path / name)
    for file in TIMELESS:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_another_seed_is_another_run(tmp_path):
    for seed in (1, 2):
        train(**SMALL, seed=seed, out=tmp_path / str(seed))
    assert (tmp_path / "1" / "episodes.csv").read_bytes() != (tmp_path / "2" / "episodes.csv").read_bytes()


def test_the_config_of_a_run_repeats_it(tmp_path):
    result = train(**SMALL, seed=5, controller_epsilon_start=0.3, env_param={"gravity": 9.0}, out=tmp_path / "a")
    again = train(config=tmp_path / "a" / "config.toml", out=tmp_path / "b")
    assert again.config == result.config
    for file in TIMELESS:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_writing_changes_nothing_in_the_run(tmp_path):
    written, plain = train(**SMALL, out=tmp_path / "a"), train(**SMALL)
    np.testing.assert_array_equal(written.episodes.returns, plain.episodes.returns)
    np.testing.assert_array_equal(written.network.parameters, plain.network.parameters)
    assert (written.out, plain.out) == (tmp_path / "a", None)


def test_the_episodes_read_back_to_the_bit(tmp_path):
    result = train(**SMALL, out=tmp_path / "a")
    with (tmp_path / "a" / "episodes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["episode"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    columns = {"return": "returns", "length": "lengths", "epsilon": "epsilons", "loss": "losses"}
    for column, attribute in columns.items():
        np.testing.assert_array_equal([float(row[column]) for row in rows], getattr(result.episodes, attribute))
    architectures = [str(s.architecture) for s in result.segments for _ in range(s.first, s.last + 1)]
    assert [row["architecture"] for row in rows] == architectures


def test_every_ask_transfer_prune_and_tell_is_logged(tmp_path):
    result = train(**SMALL, seed=3, out=tmp_path / "a")
    asked = [str(segment.architecture) for segment in result.segments]
    assert [a == b for a, b in itertools.pairwise(asked)] == [True, False]  # both kinds of switch are seen
    expected = []
    for segment, architecture in enumerate(asked, start=1):
        expected.append(("ask", segment))
        if segment > 1:
            switched = architecture != asked[segment - 2]
            expected += [("transfer", segment), ("prune", segment)] if switched else [("prune", segment)]
        expected.append(("tell", segment))
    logged = lines(tmp_path / "a")
    assert [(line["event"], line["segment"]) for line in logged] == expected
    tells = [line for line in logged if line["event"] == "tell"]
    assert [line["score"] for line in tells] == [segment.score for segment in result.segments]
    assert [line["reason"] for line in tells] == ["uniform"] * 3


def test_what_a_transfer_spent_notes_or_refuses_is_logged_and_nothing_of_one_that_does_not(tmp_path, monkeypatch):
    (tmp_path / "refusing.py").write_text(
        "from nasdqn_fast.transfers.base import Carried\n"
        "def plugin(switch):\n"
        "    switch.play(switch.old, 2)\n"
        "    return Carried(None, accepted=False, updates=9, note='worse')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for transfer in ("fresh", "refusing:plugin"):
        result = train(**SMALL, seed=3, transfer=transfer, out=tmp_path / transfer)
    fresh, refused = (
        next(line for line in lines(tmp_path / transfer) if line["event"] == "transfer")
        for transfer in ("fresh", "refusing:plugin")
    )
    assert list(fresh) == ["event", "segment", "from", "to", "kept", "q_change_mean", "q_change_max"]
    assert list(refused) == [*fresh, "accepted", "steps", "updates", "note"]
    assert refused["from"] == refused["to"] == fresh["from"]
    assert (refused["accepted"], refused["updates"], refused["note"]) == (False, 9, "worse")
    assert 2 <= refused["steps"] <= 60
    tell = lines(tmp_path / "refusing:plugin")[-1]
    assert (tell["event"], tell["accepted"], tell["architecture"]) == ("tell", False, refused["from"])
    assert str(result.segments[-1].architecture) == refused["from"]


def test_the_cost_of_each_segment_is_in_the_summary(tmp_path):
    result = train(**SMALL, estimator="greedy", out=tmp_path / "a")
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    costs = [segment["cost"] for segment in summary["segments"]]
    assert costs == [vars(segment.cost) for segment in result.segments]
    assert all(set(cost) == {"steps", "updates", "parameters", "flop"} for cost in costs)
    tells = [line for line in lines(tmp_path / "a") if line["event"] == "tell"]
    assert [line["cost"] for line in tells] == [cost["steps"] for cost in costs]
    assert sum(cost["steps"] for cost in costs) > summary["steps"]  # greedy episodes are no episodes of training


def test_the_saved_network_is_the_final_one(tmp_path):
    result = train(**SMALL, out=tmp_path / "a")
    saved = QNetwork.load(tmp_path / "a" / "network.safetensors")
    np.testing.assert_array_equal(saved.parameters, result.network.parameters)
    assert saved.architecture == result.segments[-1].architecture


def test_the_summary_says_what_the_result_says(tmp_path):
    result = train(**SMALL, out=tmp_path / "a")
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    metrics = run_metrics(result.episodes.returns, 475.0)
    assert summary["threshold"] == 475.0
    assert summary["status"] == "finished"
    assert summary["metrics"] == vars(metrics)
    assert summary["mean_return"] == result.episodes.returns.mean()
    assert summary["steps"] == result.episodes.lengths.sum()
    seconds = summary["seconds"]
    search = seconds["controller"] + seconds["transfer"] + seconds["prune"] + seconds["estimator"]
    assert summary["search_share"] == search / seconds["total"]
    assert 0 < search + seconds["train"] <= seconds["total"]
    assert summary["environment"]["max_episode_steps"] == 30
    assert summary["learning_rate"] == 1e-3
    assert {"nasdqn-fast", "python", "numpy", "numba", "cpu_target"} <= set(summary["build"])


def test_a_fixed_agent_neither_switches_nor_prunes(tmp_path):
    options = SMALL | {"method": "fixed-small", "replay_keep": 0.01}
    result = train(**options, out=tmp_path / "a")
    assert [line["event"] for line in lines(tmp_path / "a")] == ["ask", "tell"]
    assert [(str(s.architecture), s.first, s.last) for s in result.segments] == [("2x32-relu", 1, 6)]


def test_a_pendulum_run_reports_its_regret():
    result = train("fixed-small", episodes=3, warm_up=10_000, max_episode_steps=20)
    environment = envs.make("inverted-pendulum", max_episode_steps=20)
    best = optimal.optimal_mean_return(environment).rollout_mean
    returns = result.episodes.returns
    assert result.optimum == best
    assert result.final_regret == pytest.approx(best - returns.mean(), rel=1e-12)
    assert result.mean_regret == pytest.approx(np.mean(best - returns), rel=1e-12)


def test_without_a_known_optimum_there_is_no_regret():
    result = train(**SMALL)
    assert (result.optimum, result.final_regret, result.mean_regret) == (None, None, None)


def test_an_interrupted_run_keeps_what_was_done(tmp_path):
    with pytest.raises(KeyboardInterrupt, match=r"interrupted after 3 episodes; to go on: nasdqn-fast resume .*a$"):
        train(**SMALL, out=tmp_path / "a", progress=interrupting_at(3, Played))
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert (summary["status"], summary["episodes"]) == ("interrupted", 3)
    assert [segment["score"] is None for segment in summary["segments"]] == [False, True]
    whole = train(**SMALL, out=tmp_path / "b")
    rows = [(tmp_path / name / "episodes.csv").read_text().splitlines() for name in "ab"]
    assert rows[0] == rows[1][:4]
    assert evaluate(tmp_path / "a", 2).returns.shape == (2,)
    assert len(whole.episodes) == 6


def test_a_run_interrupted_before_its_first_episode_has_no_metrics(tmp_path):
    def at_once(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="interrupted after 0 episodes"):
        train(**SMALL, out=tmp_path / "a", progress=at_once)
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert (summary["metrics"], summary["segments"], summary["episodes"]) == (None, [], 0)


def test_a_run_shorter_than_a_default_segment_is_one_segment(tmp_path):
    options = {name: value for name, value in SMALL.items() if name != "switch_every"}
    result = train(**options | {"episodes": 3}, out=tmp_path / "a")
    assert [(segment.first, segment.last) for segment in result.segments] == [(1, 3)]
    assert "\nswitch_every = 200\n" in (tmp_path / "a" / "config.toml").read_text()


def test_a_run_that_diverges_says_so_and_keeps_what_was_done(tmp_path):
    options = SMALL | {
        "method": "fixed-small",
        "learning_rate": 1e30,
        "warm_up": 60,
        "episodes": 50,
        "switch_every": 50,
    }
    with pytest.raises(NonFiniteError, match=r"non-finite .* in episode"):
        train(**options, out=tmp_path / "a")
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert summary["status"].startswith("failed: non-finite")
    assert summary["episodes"] == len((tmp_path / "a" / "episodes.csv").read_text().splitlines()) - 1


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_a_run_that_breaks_keeps_what_was_done(tmp_path, error):
    def break_down(event):
        if isinstance(event, Played):
            raise error("out of order")

    with pytest.raises(error, match="out of order"):
        train(**SMALL, out=tmp_path / "a", progress=break_down)
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert (summary["status"], summary["episodes"]) == ("failed: out of order", 1)


def test_a_directory_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(InputError, match=r"exists and is not empty; choose another"):
        train(**SMALL, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_directory_is_looked_at_before_anything_else_is_done(tmp_path):
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(InputError, match="exists and is not empty"):
        train(**SMALL | {"env": "no-such-environment"}, out=tmp_path)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: train(**SMALL, out=3), "out must be a path; got int 3"),
        (lambda: train(**SMALL, progress=3), "progress must be a function of an event, or .*; got int 3"),
        (lambda: train(**SMALL, progress=[print, 3]), r"progress\[1\] must be a function of an event; got int 3"),
        (lambda: train(**SMALL, progress={print}), "or a sequence of them; got set"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_an_empty_directory_is_taken(tmp_path):
    train(**SMALL, out=tmp_path)
    assert (tmp_path / "summary.json").is_file()


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(InputError, match="is a file"):
        train(**SMALL, out=tmp_path / "file")
    with pytest.raises(InputError, match="cannot be written"):
        train(**SMALL, out=tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"env": "cartpool"}, r"unknown environment 'cartpool': did you mean 'cartpole'\?"),
        ({"transfer": "machting"}, r"unknown transfer 'machting': did you mean 'matching'\?"),
        ({"transfer": "json:dump"}, r"transfer 'json:dump' must be a function of one argument, the switch"),
        ({"estimator": "mean-retrun"}, r"unknown estimator 'mean-retrun': did you mean 'mean-return'\?"),
        ({"estimator": "json:dump"}, r"estimator 'json:dump' must be a function of one argument, the segment"),
        ({"method": "math:pi"}, r"controller 'math:pi' must be a subclass"),
        ({"start": "upward"}, r"unknown start 'upward'"),
        ({"env_param": {"gravty": 1.0}}, r"unknown environment parameter 'gravty': did you mean 'gravity'\?"),
    ],
)
def test_bad_input_is_found_before_anything_is_written(tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        train(**SMALL | options, out=tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("options", [{"transfer": "json:dump"}, {"estimator": "json:dump"}, {"method": "json:dump"}])
def test_plug_ins_are_looked_up_before_the_optimum_is_computed(monkeypatch, options):
    def never(environment):
        raise AssertionError("computed")

    monkeypatch.setattr("nasdqn_fast.optimal.optimal_mean_return", never)
    monkeypatch.setattr("nasdqn_fast.envs.kernel.compile_kernel", never)
    with pytest.raises(InputError, match="'json:dump' must be"):
        train(env="inverted-pendulum", **options)


def test_every_controller_setting_reaches_the_controller():
    given = {
        "controller_epsilon_start": 0.9,
        "controller_epsilon_decay": 0.8,
        "controller_epsilon_min": 0.2,
        "controller_temperature": 0.7,
        "controller_buffer": 3,
        "controller_score_kept": "every-visit",
    }
    config = resolve(None, SMALL | {"method": "nas-dqn"} | given)
    controller = make_trainer(config, make_environment(config)).controller
    options = controller.options
    reached = (options.epsilon_start, options.epsilon_decay, options.epsilon_min)
    reached += (options.temperature, options.buffer_size, options.score_kept)
    assert reached == tuple(given.values())
    assert [str(architecture) for architecture in controller.space] == SMALL["architectures"]


def test_a_config_object_is_taken_as_it_is():
    config = resolve(None, SMALL)
    assert train(config=config).config == complete(config)
