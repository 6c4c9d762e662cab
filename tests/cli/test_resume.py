"""``nasdqn-fast resume``, and signals to the command."""

import json
import re
import signal
import subprocess
import sys

import pytest

ENDLESS = 10_000_000  # episodes


@pytest.fixture
def left(tiny, tmp_path):
    """Trains in a process that is sent a signal after its 100th episode: signal -> (exit code, stderr)."""

    def leave(number, episodes, *options):
        command = [sys.executable, "-m", "nasdqn_fast", "train", *tiny, "--episodes", str(episodes), *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([*command, "--out", "out"], cwd=tmp_path, **pipes) as process:
            while not process.stdout.readline().startswith("episode 100 "):
                assert process.poll() is None, process.communicate()
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
        return process.returncode, err

    return leave


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]


@pytest.mark.quick_only(number=signal.SIGTERM)
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_saves_the_run_and_has_its_exit_code(left, tmp_path, number, code):
    returned, err = left(number, ENDLESS)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    message = f"nasdqn-fast: interrupted after {summary['episodes']} episodes; to go on: nasdqn-fast resume out\n"
    assert (returned, err, summary["status"]) == (code, message, "interrupted")
    assert len(list((tmp_path / "out" / "checkpoints").iterdir())) == 1


def test_a_killed_run_is_resumed_to_the_same_bits(left, run, tiny, tmp_path):
    options = ("--checkpoint-every", "60")
    assert run("train", *tiny, "--episodes", 3000, *options, "--out", "whole")[0] == 0
    assert left(signal.SIGKILL, 3000, *options)[0] == -signal.SIGKILL
    code, out, err = run("resume", "out")
    assert (code, err) == (0, "")
    assert re.search(r"segment \d+ resumed after episode [\d,]+0: \S+\n", out)
    for name in ("config.toml", "episodes.csv", "architectures.jsonl", "network.safetensors"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert run("resume", "out") == (0, "the run in out is finished: there is nothing to resume\n", "")


@pytest.mark.filterwarnings("default")
def test_a_run_without_a_checkpoint_says_that_it_starts_over(run, tiny, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "config.toml").write_text(
        "[env]\nname = 'cartpole'\n[run]\nepisodes = 2\n[agent]\nwarm_up = 4\n"
    )
    code, _, err = run("resume", "out")
    assert (code, err) == (0, "nasdqn-fast: warning: 'out' has no checkpoint yet: starting over\n")


def test_what_is_no_run_is_told_in_one_line(run):
    message = "nasdqn-fast: 'missing' is not a run directory: it holds no config.toml\n"
    assert run("resume", "missing") == (2, "", message)
