"""A run or an agent that ends within its warm-up has learned nothing, and says so."""

import warnings

import pytest

from nasdqn_fast import DQNAgent, QNetwork
from nasdqn_fast.cli import main
from nasdqn_fast.engine import backends
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.evaluation import evaluate

SHORT = {"method": "fixed-small", "env": "cartpole", "episodes": 4, "max_episode_steps": 10}
LINE = r"^no update was made: \d+ environment steps are fewer than warm_up \(1,000\), so the network is as it was drawn"


@pytest.fixture
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def test_a_run_says_once_that_it_learned_nothing(tmp_path):
    with pytest.warns(UserWarning, match=LINE) as warned:
        train(**SHORT, out=tmp_path, evaluate_every=2)
    assert len(warned) == 1
    with pytest.warns(UserWarning, match=LINE):
        resume(tmp_path, episodes=6)


def test_a_run_that_learned_says_nothing(no_warnings, tmp_path):
    train(**SHORT | {"warm_up": 10}, out=tmp_path)
    train(**SHORT | {"warm_up": 0})
    evaluate(tmp_path, 2)


@pytest.mark.parametrize("backend", backends.NAMES)
def test_an_agent_says_so_once_when_it_plays(backend):
    agent = backends.find(backend).DQNAgent("cartpole", "2x8-relu")
    agent.run_episodes(2)
    with pytest.warns(UserWarning, match=LINE) as warned:
        agent.play_episodes(1)
    assert len(warned) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        agent.play_episodes(1)


def test_an_agent_that_was_never_to_learn_says_nothing(no_warnings):
    """It only plays a network that was made elsewhere."""
    DQNAgent("cartpole", QNetwork("2x8-relu", 4, 2)).play_episodes(2)


@pytest.mark.filterwarnings("default")
def test_the_command_says_it_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--env", "cartpole", "--episodes", "3", "--out", "run"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("nasdqn-fast: warning: no update was made: ")
    assert err.count("\n") == 1
