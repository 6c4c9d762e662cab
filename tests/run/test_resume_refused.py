"""What `resume` leaves alone or refuses: finished runs, runs in use, states that cannot be saved, other folders."""

import subprocess
import sys
import warnings

import pytest
from left_runs import SMALL, leave

from nasdqn_fast.controllers.random import plugin as RandomSearch
from nasdqn_fast.errors import InputError, NonFiniteError
from nasdqn_fast.run.api import resume, train


def test_a_finished_run_is_left_alone(tmp_path):
    train(**SMALL, out=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert resume(tmp_path) is None
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1


def test_a_run_that_failed_goes_on_and_fails_again(tmp_path):
    options = SMALL | {
        "method": "fixed-small",
        "learning_rate": 1e30,
        "warm_up": 100,
        "episodes": 50,
        "switch_every": 50,
    }
    with pytest.raises(NonFiniteError) as first:
        train(**options, out=tmp_path)
    rows = (tmp_path / "episodes.csv").read_bytes()
    with pytest.raises(NonFiniteError) as second:
        resume(tmp_path)
    assert str(second.value) == str(first.value)
    assert (tmp_path / "episodes.csv").read_bytes() == rows


class Unstorable(RandomSearch):
    def get_state(self):
        return super().get_state() | {"seen": {1, 2}}


def test_a_controller_whose_state_cannot_be_saved_is_known_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "nasdqn_fast.run.assembly.controllers.make", lambda name, space, rng, given: Unstorable(space, rng)
    )
    with pytest.raises(InputError, match=r"controller .*Unstorable: get_state\(\): a state holds JSON values"):
        train(**SMALL, out=tmp_path / "run")
    assert not (tmp_path / "run" / "config.toml").exists()
    train(**SMALL)  # nothing to save


def test_what_is_no_run_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is not a run directory: it holds no config\.toml"):
        resume(tmp_path)
    with pytest.raises(TypeError, match="progress must be a function"):
        resume(tmp_path, progress=3)


IN_USE = """
import sys
from nasdqn_fast.run.directory import locked
from pathlib import Path
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_directory_in_use_by_another_process_is_refused(tmp_path):
    leave(tmp_path / "left", 5, **SMALL)
    (tmp_path / "new").mkdir()
    for name, use in (("left", resume), ("new", lambda out: train(**SMALL, out=out))):
        command = [sys.executable, "-c", IN_USE, str(tmp_path / name)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
        ) as process:
            assert process.stdout.readline() == "locked\n"
            with pytest.raises(InputError, match=rf"{name}' is in use by another process; wait for it"):
                use(tmp_path / name)
            process.kill()
    assert not list((tmp_path / "new").iterdir())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(resume(tmp_path / "left").episodes) == 9
