"""Runs that end early: a listener that returns STOP, and --stop-at-threshold."""

import json

import pytest
from left_runs import contents, interrupting_at, stopping_at

from nasdqn_fast.cli import main
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Asked, Played, Told
from nasdqn_fast.run.api import resume, train

SMALL = {
    "method": "random-nas",
    "env": "cartpole",
    "episodes": 12,
    "switch_every": 4,
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu"],
    "warm_up": 10,
    "batch_size": 4,
    "replay_capacity": 150,
    "max_episode_steps": 30,
}
EASY = """
from nasdqn_fast.envs import EnvKernel, cartpole

plugin = EnvKernel(
    cartpole.reset, cartpole.step, cartpole.PARAMS, state_size=4, observation_size=4, n_actions=2,
    observation_low=cartpole.observation_low, observation_high=cartpole.observation_high,
    max_episode_steps=500, reset_uniforms=4, threshold=25.0,
)
"""


@pytest.fixture
def easy(tmp_path, monkeypatch):
    """CartPole with a threshold that a random policy exceeds sooner or later."""
    (tmp_path / "easy_cartpole.py").write_text(EASY)
    monkeypatch.syspath_prepend(tmp_path)
    return SMALL | {"env": "easy_cartpole:plugin", "episodes": 400, "max_episode_steps": 500, "switch_every": 100}


@pytest.mark.quick_only(others=[])
@pytest.mark.parametrize(
    ("event_type", "count", "ended"), [(Asked, 1, 0), (Played, 3, 3), (Played, 4, 4), (Told, 1, 4), (Asked, 2, 4)]
)
@pytest.mark.parametrize("others", [[], [print]])
def test_a_listener_stops_a_run_which_can_be_resumed(tmp_path, event_type, count, ended, others):
    train(**SMALL, out=tmp_path / "whole")
    result = train(**SMALL, out=tmp_path / "run", progress=[*others, stopping_at(count, event_type), *others])
    assert (result.status, len(result.episodes)) == ("stopped: a listener returned STOP", ended)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["status"] == result.status
    assert resume(tmp_path / "run").status == "finished"
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_stopped_run_is_made_longer_or_shorter(tmp_path):
    for episodes in (7, 20):
        train(**SMALL | {"episodes": episodes}, out=tmp_path / f"whole{episodes}")
        train(**SMALL, out=tmp_path / f"run{episodes}", progress=stopping_at(6, Played))
        resume(tmp_path / f"run{episodes}", episodes=episodes)
        assert contents(tmp_path / f"run{episodes}") == contents(tmp_path / f"whole{episodes}")


def test_a_stop_after_the_last_episode_is_none(tmp_path):
    for event_type, count in ((Played, 12), (Told, 3)):
        assert train(**SMALL, progress=stopping_at(count, event_type)).status == "finished"


def test_a_run_in_memory_is_stopped_too():
    result = train(**SMALL, progress=stopping_at(2, Played))
    assert (result.status, len(result.episodes)) == ("stopped: a listener returned STOP", 2)


def test_a_run_stops_at_its_threshold(tmp_path, easy):
    """Oracle: the metric of the whole run, which counts the episodes until the mean of the last 50 exceeds it."""
    whole = train(**easy, out=tmp_path / "whole")
    stopped = train(**easy, stop_at_threshold=True, out=tmp_path / "run")
    assert stopped.status == "stopped: the mean of the last 50 episodes exceeds 25"
    assert 50 < len(stopped.episodes) == stopped.metrics.episodes_to_threshold < 400
    assert len(stopped.episodes) == whole.metrics.episodes_to_threshold
    again = resume(tmp_path / "run")  # it is at its end
    assert (again.status, len(again.episodes)) == (stopped.status, len(stopped.episodes))
    assert resume(tmp_path / "run", episodes=400).status == "finished"
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_run_that_was_interrupted_stops_at_the_same_episode(tmp_path, easy):
    train(**easy, stop_at_threshold=True, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(**easy, stop_at_threshold=True, out=tmp_path / "run", progress=interrupting_at(30, Played))
    resume(tmp_path / "run")
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_an_environment_without_a_threshold_is_refused(tmp_path, easy):
    (tmp_path / "no_threshold.py").write_text(EASY.replace("25.0", "None"))
    with pytest.raises(InputError, match=r"stop_at_threshold needs an environment with a threshold; '\S+' has none"):
        train(**easy | {"env": "no_threshold:plugin"}, stop_at_threshold=True, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_command_says_why_it_stopped(tmp_path, easy, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--env", easy["env"], "--method", "fixed", "--architecture", "1x4-relu", "--optimizer", "adam"]
    options += ["--learning-rate", "0.003", "--episodes", "400"]
    assert main(["train", *options, "--stop-at-threshold", "--out", "run"]) == 0
    out = capsys.readouterr().out
    assert "stopped: the mean of the last 50 episodes exceeds 25; to go on: nasdqn-fast resume run --episodes N" in out
