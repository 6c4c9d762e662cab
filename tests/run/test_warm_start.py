"""train --from RUN: the network of an earlier run, by the transfer where architectures differ; repeated and resumed."""

import shutil

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast.cli.app import main
from nasdqn_fast.config import resolve
from nasdqn_fast.engine import QNetwork
from nasdqn_fast.errors import InputError
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.transfers.base import Carried

SMALL = {"env": "cartpole", "episodes": 6, "batch_size": 4, "replay_capacity": 200, "max_episode_steps": 30}
NEVER = {"warm_up": 10**6}  # the network stays what it was at the start
FIXED = {"method": "fixed", "architecture": "6,5-tanh"}


@pytest.fixture
def earlier(tmp_path):
    train(**SMALL, **FIXED, warm_up=10, seed=3, out=tmp_path / "earlier")
    return tmp_path / "earlier"


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_the_same_architecture_starts_with_the_same_weights(earlier, backend):
    result = train(**SMALL, **FIXED, **NEVER, backend=backend, from_=earlier)
    assert result.network.parameters.tobytes() == QNetwork.load(earlier / "network.safetensors").parameters.tobytes()
    without = train(**SMALL, **FIXED, **NEVER, backend=backend)
    assert result.network.parameters.tobytes() != without.network.parameters.tobytes()


@pytest.mark.parametrize("architecture", ["6,9-tanh", "6,5,4-relu"])
def test_another_architecture_is_reached_by_the_transfer(earlier, architecture):
    old = QNetwork.load(earlier / "network.safetensors")
    options = {**SMALL, **NEVER, "method": "fixed", "architecture": architecture, "from_": earlier}
    overlap = train(**options, transfer="overlap").network
    np.testing.assert_array_equal(overlap.weights[0], old.weights[0])
    np.testing.assert_array_equal(overlap.weights[-1][:4], old.weights[-1][:4])
    fresh = train(**options, transfer="fresh").network
    assert not np.array_equal(fresh.weights[0], old.weights[0])


def test_it_is_recorded_and_repeats(earlier, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = SMALL | {"method": "random-nas", "switch_every": 3, "warm_up": 10, "from_": "earlier"}
    first = train(**settings, out=tmp_path / "a")
    assert f'warm_start = "{earlier}"' in (tmp_path / "a" / "config.toml").read_text()
    monkeypatch.chdir("/")
    again = train(config=tmp_path / "a" / "config.toml")
    assert again.network.parameters.tobytes() == first.network.parameters.tobytes()
    assert resolve(tmp_path / "a" / "config.toml").run.warm_start == str(earlier)


class LeftAlone(BaseException):
    pass


def leave(after, **settings):
    told = []

    def listener(event):
        told.append(event)
        if len(told) == after:
            raise LeftAlone

    with pytest.raises(LeftAlone):
        train(**settings, progress=listener)


def test_it_resumes_to_the_same_bits_even_when_the_earlier_run_is_gone(earlier, tmp_path):
    settings = SMALL | {"method": "random-nas", "switch_every": 3, "warm_up": 10, "from_": earlier}
    whole = train(**settings, out=tmp_path / "whole")
    leave(4, **settings, out=tmp_path / "left")
    shutil.rmtree(earlier)
    resumed = resume(tmp_path / "left")
    assert resumed.network.parameters.tobytes() == whole.network.parameters.tobytes()
    for name in ("episodes.csv", "architectures.jsonl"):
        assert (tmp_path / "left" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_of_a_run_that_was_killed_it_takes_the_newest_checkpoint(tmp_path):
    leave(4, **SMALL, **FIXED, warm_up=10, out=tmp_path / "left")
    (tmp_path / "left" / "network.safetensors").unlink()
    checkpoints = Checkpoints(tmp_path / "left" / "checkpoints")
    saved = checkpoints.load(checkpoints.newest_first()[0])["trainer"]["agent"]["network"]
    result = train(**SMALL, **FIXED, **NEVER, from_=tmp_path / "left")
    assert result.network.parameters.tobytes() == saved.tobytes()


def refuse(switch):
    return Carried(switch.old, accepted=False, note="not worth it")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"from_": "nowhere"}, "nowhere' is not a run directory: it holds no config.toml"),
        ({"env": "acrobot"}, "has 4 observations and 2 actions; the environment has 6 and 3"),
        (
            {"architecture": "3-relu", "transfer": refuse},
            r"refuses to carry 6,5-tanh of .* over to .*: not worth it; begin",
        ),
    ],
)
def test_what_cannot_be_started_from_is_one_clear_error(earlier, changes, message):
    with pytest.raises(InputError, match=message):
        train(**SMALL | FIXED | {"from_": earlier} | changes)


def test_a_run_that_has_saved_nothing_is_one_clear_error(earlier):
    (earlier / "network.safetensors").unlink()
    shutil.rmtree(earlier / "checkpoints")
    with pytest.raises(InputError, match="has saved neither a network nor a checkpoint"):
        train(**SMALL, **FIXED, from_=earlier)


def test_the_command_line_has_it(earlier, tmp_path):
    arguments = [
        "train",
        "--from",
        str(earlier),
        "--method",
        "fixed",
        "--architecture",
        "6,5-tanh",
        "--env",
        "cartpole",
    ]
    out = tmp_path / "out"
    assert main([*arguments, "--episodes", "2", "--out", str(out)]) == 0
    first = QNetwork.load(out / "network.safetensors").parameters
    assert first.tobytes() == QNetwork.load(earlier / "network.safetensors").parameters.tobytes()
    assert nasdqn_fast.evaluate(out, 1).returns.size == 1
