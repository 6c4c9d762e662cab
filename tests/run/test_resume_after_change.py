"""Resuming where something was changed since: environment, config, build, or the state of the run itself."""

import dataclasses
import importlib
import sys
from pathlib import Path

import pytest
from left_runs import SMALL, leave

from nasdqn_fast.envs.kernel import EnvKernel
from nasdqn_fast.errors import InputError
from nasdqn_fast.run.api import resume, train

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_environment"


@pytest.fixture(autouse=True, scope="module")
def own_environment():
    """Makes the example's environment, mountain_car:plugin, importable."""
    sys.path.insert(0, str(EXAMPLE))
    yield
    sys.path.remove(str(EXAMPLE))


def test_another_environment_of_the_same_name_is_told(tmp_path, monkeypatch):
    leave(tmp_path, 5, **SMALL)
    monkeypatch.setattr(EnvKernel, "fingerprint", lambda self: "another")
    with pytest.warns(UserWarning, match=r"the run was begun with environment [0-9a-f]+: it goes on"):
        resume(tmp_path)


def test_an_environment_that_no_longer_fits_is_refused_and_nothing_touched(tmp_path, monkeypatch):
    leave(tmp_path, 5, **SMALL | {"env": "mountain_car:plugin"})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    module = importlib.import_module("mountain_car")
    monkeypatch.setattr(module, "plugin", dataclasses.replace(module.plugin, state_size=3))
    with pytest.raises(InputError, match=r"the saved state does not fit the environment .*: states must be float64"):
        resume(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_another_config_is_refused(tmp_path):
    leave(tmp_path, 5, **SMALL)
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace("seed = 0", "seed = 1"))
    with pytest.raises(InputError, match=r"config\.toml' was changed: the run was begun with seed = 0; restore it"):
        resume(tmp_path)


def test_another_build_is_told(tmp_path, monkeypatch):
    leave(tmp_path, 5, **SMALL)
    monkeypatch.setattr("nasdqn_fast.run.run.build_facts", lambda: {"cpu_target": "abacus"})
    with pytest.warns(UserWarning, match=r"the run was begun with .*cpu_target \w+: it goes on, but not to the bit"):
        resume(tmp_path)


def test_a_config_with_a_byte_order_mark_is_read(tmp_path):
    """As Windows' editors write it."""
    leave(tmp_path, 5, **SMALL)
    config = tmp_path / "config.toml"
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())
    assert resume(tmp_path).status == "finished"


def test_a_finished_run_whose_episodes_were_changed_is_told(tmp_path):
    train(**SMALL, out=tmp_path)
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace("episodes = 9", "episodes = 12"))
    with pytest.raises(
        InputError,
        match=r"finished after 9 episodes, and its config.toml was changed to 12 since; set .*; "
        r"resume .* --episodes N",
    ):
        resume(tmp_path)
