"""The command without standard streams, as services, pythonw and ``>&-`` start it; oracle: the usual exit code."""

import json
import os
import subprocess
import sys

import pytest

from nasdqn_fast.cli import main

CLOSED = {"output": ">&-", "error": "2>&-", "all": "<&- >&- 2>&-"}
CONTROLLER = """
from nasdqn_fast.controllers.random import plugin as RandomSearch
from nasdqn_fast.types import Proposal


class plugin(RandomSearch):
    def propose(self):
        return Proposal(super().propose().architecture, REASON)
"""


@pytest.fixture
def shell(tmp_path):
    """Runs the command in a shell with these redirections: exit code, stdout, stderr."""

    def run(redirections, *args, **environment):
        command = [sys.executable, "-m", "nasdqn_fast", *map(str, args)]
        done = subprocess.run(
            ["sh", "-c", f'"$@" {redirections}', "sh", *command],
            cwd=tmp_path,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.quick_only(redirections=CLOSED["all"])
@pytest.mark.parametrize("redirections", [*CLOSED.values(), ">/dev/full"])
def test_a_run_needs_none_of_them(shell, tmp_path, tiny, redirections):
    assert main(["train", *tiny, "--episodes", "200", "--out", str(tmp_path / "whole")]) == 0
    code, _, error = shell(redirections, "train", *tiny, "--episodes", 200, "--out", "out")
    assert (code, error) == (0, "")
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["status"] == "finished"
    for name in ("episodes.csv", "architectures.jsonl", "network.safetensors"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    code, _, error = shell(redirections, "evaluate", "out", "--episodes", 2)
    assert (code, error) == (0, "")


@pytest.mark.quick_only(args={"list methods", "--version"}, closed="all")
@pytest.mark.parametrize("closed", ["output", "all"])
@pytest.mark.parametrize("args", ["info", "list methods", "bench --help", "--version"])
def test_other_commands_end_well(shell, closed, args):
    code, _, error = shell(CLOSED[closed], *args.split())
    assert (code, error) == (0, "")


@pytest.mark.quick_only(args="train --gamma 2", closed={"output", "all"})
@pytest.mark.parametrize("closed", CLOSED)
@pytest.mark.parametrize("args", ["train --gamma 2", "trian"])
def test_bad_input_keeps_its_exit_code(shell, closed, args):
    code, _, error = shell(CLOSED[closed], *args.split())
    assert (code, error.count("\n")) == (2, 0 if "2>" in CLOSED[closed] else 1)


@pytest.mark.parametrize("args", ["info", "--help"])
def test_a_full_disk_is_one_line(shell, args):
    code, _, error = shell(">/dev/full", *args.split())
    assert (code, error) == (1, "nasdqn-fast: [Errno 28] No space left on device\n")


def test_what_others_print_to_a_closed_stream_lands_in_no_file_of_the_run(shell, tmp_path, tiny):
    """A file opened later would have the number of the stream."""
    (tmp_path / "talking.py").write_text(
        "import os\n"
        + CONTROLLER.replace(
            "        return", "        os.write(1, b'out'), os.write(2, b'err')\n        return"
        ).replace("REASON", "'x'")
    )
    args = ["train", *tiny, "--episodes", 4, "--switch-every", 2, "--method", "talking:plugin", "--out"]
    code, _, error = shell("", *args, "whole", PYTHONPATH=str(tmp_path))
    assert (code, error) == (0, "errerr")
    assert shell("<&- >&- 2>&-", *args, "out", PYTHONPATH=str(tmp_path)) == (0, "", "")
    for name in ("episodes.csv", "architectures.jsonl", "network.safetensors"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("streams", [("stdout",), ("stderr",), ("stdin", "stdout", "stderr")])
def test_streams_that_are_none_as_with_pythonw(tmp_path, tiny, monkeypatch, streams):
    monkeypatch.chdir(tmp_path)
    for name in streams:
        monkeypatch.setattr(sys, name, None)
    assert main(["train", *tiny, "--episodes", "3", "--out", "out"]) == 0
    assert main(["info"]) == 0
    assert main(["evaluate", "nosuch"]) == 2
    for name in set(streams) - {"stdin"}:
        getattr(sys, name).close()


@pytest.mark.parametrize("reason", ["[/best]", "[red]", ":smile:", "a\nb\x1b[2J"])
def test_a_reason_in_brackets_is_text_from_end_to_end(run, tmp_path, tiny, monkeypatch, reason):
    (tmp_path / "bracketing.py").write_text(CONTROLLER.replace("REASON", repr(reason)))
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("bracketing", None)
    code, out, err = run("train", *tiny, "--episodes", 2, "--method", "bracketing:plugin", "--out", "[red]:smile:")
    assert (code, err) == (0, "")
    shown = reason.encode("unicode_escape").decode()
    assert f"({shown})" in out
    assert f" {shown} " in out.partition("reason")[2]
    assert "run directory: [red]:smile:\n" in out
    code, out, err = run("resume", "[red]:smile:")
    assert (code, out, err) == (0, "the run in [red]:smile: is finished: there is nothing to resume\n", "")


@pytest.mark.parametrize("name", ["[/x]", "[red]", "nosuch[/x]:plugin", "[bold]:plugin"])
@pytest.mark.parametrize("option", ["--method", "--env", "--transfer", "--estimator", "--config"])
def test_names_in_brackets_are_text_in_messages(run, option, name):
    code, out, err = run("train", option, name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert repr(name) in err or repr(name.partition(":")[0]) in err
