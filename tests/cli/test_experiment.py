"""``nasdqn-fast experiment``: the oracle is the study that Python's call of the same settings plans."""

import json
import re

import pytest
from rich.console import Console

from nasdqn_fast.cli.study_display import line, study_display
from nasdqn_fast.config import PROFILES, all_settings, find_method
from nasdqn_fast.study import api
from nasdqn_fast.study.plan import Trial
from nasdqn_fast.study.progress import Progress
from nasdqn_fast.study.study import Study


@pytest.fixture
def tiny():
    env = ["--tasks", "cartpole", "--max-episode-steps", "20", "--episodes", "3"]
    return [*env, "--methods", "random-nas,fixed:1x8-relu", "--warm-up", "10", "--batch-size", "4"]


def options_of(text):
    """Option -> what its help says, in one line."""
    parts = re.split(r"\n  (--[\w-]+)", text)
    return {name: " ".join(rest.split()) for name, rest in zip(parts[1::2], parts[2::2], strict=True)}


def test_the_help_shows_the_protocol_that_is_run_without_options(run):
    code, text, _ = run("experiment", "--help")
    shown = options_of(text)
    plan, configs = api.make_plan(None, None, None, grid=None, config=None, first_seed=api.FIRST_SEED, options={})
    methods = "fixed-small,fixed-medium,fixed-large,random-nas,nas-dqn"
    assert code == 0
    assert methods.replace("-", "") in shown["--methods"].replace(" ", "").replace("-", "")  # it breaks at hyphens
    assert list(plan.labels) == methods.split(",")
    assert [find_method(name).architecture for name in plan.labels][:3] == ["2x32-relu", "3x64-relu", "4x128-relu"]
    assert "[default: inverted-pendulum" in shown["--tasks"]
    assert plan.tasks == ("inverted-pendulum",)
    assert "[default: 3]" in shown["--seeds"]
    assert set(plan.seeds.values()) == {3}
    assert "[default: 2000" in shown["--episodes"]
    assert plan.episodes == 2000
    assert "[default: paper" in shown["--profile"]
    assert plan.profile == "paper"
    assert not PROFILES["paper"].values
    assert "[default: 1000]" in shown["--first-seed"]
    assert next(seed for *_, seed in plan.names()) == 1000
    assert len(configs) == 5


def test_it_takes_the_options_of_train_but_those_that_differ_between_trials(run):
    shown = options_of(run("experiment", "--help")[1])
    options = {setting.option for setting in all_settings()}
    assert options - set(shown) == {"--env", "--method", "--seed"}


def test_a_study_of_each_kind_of_option(run, tiny, tmp_path):
    grid = ["--grid", "agent.gamma=0.9,0.99"]
    code, text, error = run("experiment", "--out", "s", *tiny, *grid, "--seeds", "1", "--seeds", "random-nas=2")
    assert (code, error) == (0, "")
    assert "trial 6 of 6" in text
    plan = json.loads((tmp_path / "s" / "study.json").read_text())
    assert plan["seeds"] == {"random-nas": 2, "fixed:1x8-relu": 1}
    assert plan["grid"] == {"agent.gamma": [0.9, 0.99]}
    assert Study.open(tmp_path / "s").is_complete


def test_the_same_command_finds_nothing_left(run, tiny):
    command = ("experiment", *tiny, "--seeds", "1")
    assert run(*command)[0] == 0
    code, text, _ = run(*command)
    assert (code, "trial 2 of 2 | 100%" in text) == (0, True)


def test_more_seeds_are_said_to_be_exploratory(run, tiny):
    run("experiment", *tiny, "--seeds", "1")
    _, text, _ = run("experiment", *tiny, "--seeds", "2")
    assert "verdicts are exploratory" in text


def test_another_config_is_refused_in_one_line(run, tiny):
    run("experiment", *tiny, "--seeds", "1")
    code, _, error = run("experiment", *tiny, "--seeds", "1", "--gamma", "0.5")
    assert code == 2
    assert re.fullmatch(r"nasdqn-fast: .*holds another study: config.agent.gamma: 0.99 there, 0.5 here; .*\n", error)


def test_a_trial_that_fails_is_reported_and_the_exit_code_says_so(run, tiny, tmp_path):
    failing = ["--episodes", "40", "--methods", "fixed:1x8-relu,fixed:1x8-relu+agent.learning_rate=1e30"]
    code, text, error = run("experiment", *tiny[:4], *failing, *tiny[8:], "--seeds", "1")
    assert code == 1
    assert "trial 1 of 2" in text
    assert "1 failed" in text
    assert "learning_rate=1e30/1000 failed: NonFiniteError" in error
    assert "1 trials failed; the same command tries them again" in error
    statuses = [status for _, status in Study.open(tmp_path / "study").statuses()]
    assert statuses[0] == "finished"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "x"], "--seeds must be N or METHOD=N, as nas-dqn=200; got 'x'"),
        (["--seeds", "nas-dqn=2"], "seeds of 'nas-dqn', which is not among the methods"),
        (["--grid", "gamma"], "--grid must be SECTION.OPTION=V1,V2,..."),
        (["--grid", "agent.gama=1"], "unknown setting 'agent.gama': did you mean 'agent.gamma'?"),
        (["--grid", "agent.gamma=1,x"], "agent.gamma must be a number in [0, 1]; got 'x'"),
        (["--grid", "agent.gamma=1", "--grid", "agent.gamma=0"], "--grid agent.gamma is given twice"),
        (["--shard", "0/3"], "shard must be K/N"),
        (["--scheduler", "nonsense"], "scheduler must be an address, as tcp://127.0.0.1:8786; got 'nonsense'"),
        (["--config", "none.toml"], "cannot read the config file 'none.toml'"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_written(run, tiny, tmp_path, options, message):
    code, _, error = run("experiment", *tiny, *options)
    assert (code, error.count("\n")) == (2, 1)
    assert message in error
    assert not (tmp_path / "study").exists()


def test_a_config_file_names_the_task(run, tiny, tmp_path):
    (tmp_path / "given.toml").write_text('[env]\nname = "mountain-car"\nmax_episode_steps = 5\n')
    code, _, error = run("experiment", "--config", "given.toml", *tiny[4:], "--seeds", "1")
    assert (code, error) == (0, "")
    assert Study.open(tmp_path / "study").plan.tasks == ("mountain-car",)


def progress(**changes):
    return Progress(**{"trials": 10, "episodes": 100, "before": 2, "ended": 3, "played": 350} | changes)


def test_the_line_counts_what_ended_before_and_the_time_of_what_is_left():
    now = progress()
    now.started -= 70  # 350 episodes in 70 s: 450 are left
    assert line(now) == "trial 5 of 10 | 55% | 1:30 left"


def test_the_line_says_what_went_wrong_and_what_others_have():
    trial = Trial("task", "method", "label", 1, "path")
    now = progress(failed={trial: "why"}, busy={trial}, played=0, ended=0)
    assert line(now) == "trial 2 of 10 | 20% | 1 elsewhere | 1 failed"


def test_a_failure_is_said_once_and_an_error_of_the_display_ends_nothing(capsys):
    class Broken(Console):
        def print(self, *args, **kwargs):
            raise RuntimeError("lost")

    trial = Trial("task", "method", "label", 1, "path")
    now = progress(failed={trial: "it\ndiverged"})
    with study_display(Broken()) as show:
        show(now)
        show(now)
    assert capsys.readouterr().err == "nasdqn-fast: trial task/label/1 failed: it diverged\n"
