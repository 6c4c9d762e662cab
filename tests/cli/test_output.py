"""A run continues when nobody can take its output."""

import io
import json
import os
import subprocess
import sys

import pytest
from rich.console import Console

from nasdqn_fast.cli.output import Lasting


@pytest.fixture
def train(tmp_path, tiny):
    """Runs the training in a process of its own, whose standard output is this file descriptor."""

    def run(stdout, **environment):
        command = [sys.executable, "-m", "nasdqn_fast", "train", *tiny, "--episodes", "300", "--out", "out"]
        return subprocess.run(
            command, stdout=stdout, stderr=subprocess.PIPE, cwd=tmp_path, env=os.environ | environment, check=False
        )

    return run


def test_a_reader_that_leaves_does_not_end_a_run(tmp_path, train):
    read, write = os.pipe()
    os.close(read)
    process = train(write)
    os.close(write)
    assert (process.returncode, process.stderr) == (0, b"")
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["status"] == "finished"
    assert (tmp_path / "out" / "network.safetensors").is_file()


def test_nor_does_an_output_that_cannot_be_written(tmp_path, train):
    (tmp_path / "read-only").touch()
    with (tmp_path / "read-only").open("rb") as unwritable:
        process = train(unwritable)
    assert (process.returncode, process.stderr) == (0, b"")
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["status"] == "finished"


def test_an_encoding_that_lacks_a_character_is_no_error(train):
    process = train(subprocess.PIPE, PYTHONUTF8="0", LC_ALL="C", PYTHONCOERCECLOCALE="0")
    assert (process.returncode, process.stderr) == (0, b"")
    text = process.stdout.decode("ascii")
    assert "mean of last 50" in text
    assert "?" not in text


def test_a_reader_that_leaves_another_command_is_no_error(tmp_path):
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run(
        [sys.executable, "-m", "nasdqn_fast", "list", "methods"],
        stdout=write,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        check=False,
    )
    os.close(write)
    assert process.stderr == b""


def test_rich_takes_a_lasting_stream_for_what_it_is():
    plain, wrapped = io.StringIO(), io.StringIO()
    for file in (plain, Lasting(wrapped)):
        Console(file=file, width=40).print("[bold]a table[/]", 3)
    assert wrapped.getvalue() == plain.getvalue() == "a table 3\n"
