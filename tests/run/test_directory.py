"""The directory of a run: who gets which."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nasdqn_fast.errors import InputError
from nasdqn_fast.run.directory import numbered


def test_the_first_that_does_not_exist_is_made(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "a").write_text("a file")
    for expected in ("a-2", "a-3"):
        with numbered(tmp_path / "runs" / "a") as out:
            assert out == tmp_path / "runs" / expected
            assert out.is_dir()


def test_many_at_once_get_one_each(tmp_path):
    together, made = threading.Barrier(8), []

    def make():
        together.wait()
        with numbered(tmp_path / "runs" / "a") as out:
            made.append(out.name)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == sorted(["a", *(f"a-{n}" for n in range(2, 9))])


def test_what_fails_before_anything_is_written_leaves_nothing(tmp_path):
    def fail(written):
        with numbered(tmp_path / "a") as out:
            if written:
                (out / "config.toml").write_text("")
            raise InputError("a setting that shows to be wrong only now")

    for written in (False, True):
        with pytest.raises(InputError, match="only now"):
            fail(written)
        assert (tmp_path / "a").exists() == written


def test_where_none_can_be_made_it_is_told(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with (
        pytest.raises(InputError, match=r"the output directory .* cannot be written: Not a directory"),
        numbered(tmp_path / "runs" / "a"),
    ):
        pass


def test_equal_commands_at_once_have_a_run_each(tmp_path):
    command = [sys.executable, "-m", "nasdqn_fast", "train", "--method", "fixed-small", "--env", "cartpole"]
    command += ["--episodes", "3", "--max-episode-steps", "20", "--warm-up", "4"]
    processes = [
        subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) for _ in "abc"
    ]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0)] * 3
    runs = sorted(Path(tmp_path, "runs").iterdir())
    assert [run.name for run in runs] == [f"fixed-small-cartpole-seed0{suffix}" for suffix in ("", "-2", "-3")]
    assert len({(run / "episodes.csv").read_bytes() for run in runs}) == 1
