"""Paths: ``~`` is the home directory at every door, and a message names the file that the user has named."""

import os
from pathlib import Path

import pytest

from nasdqn_fast import QNetwork
from nasdqn_fast.cli import main
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.evaluation import evaluate
from nasdqn_fast.storage import cache
from nasdqn_fast.storage.atomic import replacing

TINY = {"env": "cartpole", "episodes": 2, "max_episode_steps": 20, "method": "fixed-small"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home directory of this test, and another directory to work in."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    return home


def test_a_tilde_is_the_home_directory_in_python(home):
    assert train(**TINY, out="~/run").out == home / "run"
    assert train(config="~/run/config.toml", out=Path("~", "again")).out == home / "again"
    assert len(evaluate("~/run", 2).returns) == 2
    assert resume("~/run") is None
    assert list(Path.cwd().iterdir()) == []


def test_and_on_the_command_line(home, capsys):
    options = ["--env", "cartpole", "--episodes", "2", "--max-episode-steps", "20", "--method", "fixed-small"]
    assert main(["train", *options, "--out=~/run"]) == 0
    assert main(["train", "--config=~/run/config.toml", "--out=~/again"]) == 0
    assert main(["evaluate", "~/run", "--episodes", "2"]) == 0
    assert main(["resume", "~/run"]) == 0
    assert main(["bench", "--compare", "~/nosuch.json", "~/nosuch.json"]) == 2
    assert str(home / "nosuch.json") in capsys.readouterr().err
    assert {path.name for path in home.iterdir()} >= {"run", "again"}
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(("variable", "below"), [("NASDQN_FAST_CACHE_DIR", ""), ("XDG_CACHE_HOME", "nasdqn-fast")])
def test_and_of_the_cache(home, monkeypatch, variable, below):
    monkeypatch.delenv("NASDQN_FAST_CACHE_DIR", raising=False)
    monkeypatch.setenv(variable, "~/kept")
    assert cache.directory() == home / "kept" / below


@pytest.mark.parametrize(
    "door", [lambda path: train(**TINY, out=path), resume, evaluate, lambda path: train(config=path)]
)
def test_nobodys_home_is_an_error_and_no_folder(home, door):
    with pytest.raises(InputError, match="'~nosuchuser/x': no home directory for its ~; write the path out"):
        door("~nosuchuser/x")
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_save_into_a_missing_folder_names_the_users_file(tmp_path, backend):
    path = tmp_path / "missing" / "network.safetensors"
    with pytest.raises(FileNotFoundError) as raised:
        backends.find(backend).QNetwork("1x4-relu", 1, 1).save(path)
    assert str(raised.value) == f"[Errno 2] No such file or directory: {str(path)!r}"


def test_so_does_save_in_place_of_a_folder(tmp_path):
    with pytest.raises(IsADirectoryError) as raised:
        QNetwork("1x4-relu", 1, 1).save(tmp_path)
    assert str(raised.value) == f"[Errno 21] Is a directory: {str(tmp_path)!r}"
    assert list(tmp_path.iterdir()) == []


def test_so_does_save_below_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match=r"file/network\.safetensors'$"):
        QNetwork("1x4-relu", 1, 1).save(tmp_path / "file" / "network.safetensors")


def test_an_error_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"'{os.sep}not{os.sep}there'"), replacing(tmp_path / "x"):
        Path("/not/there").read_bytes()
