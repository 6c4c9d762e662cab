"""``nasdqn-fast train``: what it prints, where it writes, how it stops."""

import itertools
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nasdqn_fast.cli.train import default_out
from nasdqn_fast.config import all_settings, resolve
from nasdqn_fast.run.api import train


def test_the_command_is_a_thin_caller(run, tmp_path, tiny):
    code, _, err = run("train", *tiny, "--episodes", 6, "--switch-every", 2, "--seed", 3, "--out", "command")
    assert (code, err) == (0, "")
    train(config=tmp_path / "command" / "config.toml", out=tmp_path / "python")
    for file in ("config.toml", "episodes.csv", "architectures.jsonl", "network.safetensors"):
        assert (tmp_path / "command" / file).read_bytes() == (tmp_path / "python" / file).read_bytes(), file


def test_a_config_file_gives_way_to_options(run, tmp_path, tiny):
    (tmp_path / "given.toml").write_text("[run]\nepisodes = 3\nseed = 7\n")
    run("train", *tiny, "--config", "given.toml", "--seed", 8, "--out", "out")
    config = resolve(tmp_path / "out" / "config.toml")
    assert (config.run.episodes, config.run.seed) == (3, 8)


def test_every_setting_is_an_option_with_one_line_of_help(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = run("train", "--help")
    assert code == 0
    for setting in all_settings():
        told = f"{setting.help[0].upper()}{setting.help[1:]}.  [default: {setting.default}]"
        # A long name has its line to itself.
        assert re.search(rf"^  {setting.option}( [^\n]*)?\n? +{re.escape(told)}$", out, re.MULTILINE), setting.option


VALUES = {
    "env": "cartpole",
    "start": "upright",
    "env_param": "gravity=3",
    "architecture": "1x2-relu",
    "depths": "2,3",
    "widths": "4",
    "activations": "tanh,relu",
    "architectures": "64,32-tanh,1x2-relu",
    "method": "fixed",
    "transfer": "fresh",
    "profile": "paper",
    "learning_rate": "0.5",
    "steps": "900",
    "updates_per_train": "5",
    "max_episode_steps": "7",
    "from_": "/runs/earlier",
    "evaluate_every": "3",
    "evaluate_seed": "6",
    "adadqn_optimizers": "",  # with another method they must be left out
    "adadqn_learning_rates": "",
    "optimizers": "sgd,adam",
    "learning_rates": "0.1",
    "max_parameters": "100000",
    "reward_cost": "latency",
    "reward_weight": "0.5",
    "reward_range": "-1,9",
    "reward_target": "2.5",
    "reward_latencies": "latencies.json",
}
PARSED = {
    "env_param": {"gravity": 3.0},
    "depths": (2, 3),
    "widths": (4,),
    "activations": ("tanh", "relu"),
    "architectures": ("64,32-tanh", "1x2-relu"),
    "learning_rate": 0.5,
    "steps": 900,
    "updates_per_train": 5,
    "max_episode_steps": 7,
    "adadqn_optimizers": (),
    "adadqn_learning_rates": (),
    "optimizers": ("sgd", "adam"),
    "learning_rates": (0.1,),
    "max_parameters": 100_000,
    "reward_weight": 0.5,
    "reward_range": (-1.0, 9.0),
    "reward_target": 2.5,
    "reward_latencies": {"1x2-relu": 1e-6, "64,32-tanh": 1e-5},
}


def test_every_option_arrives_in_the_config(monkeypatch, run, tmp_path):
    """One command line with all options; the config that reaches `train` is compared key by key."""
    seen = {}
    (tmp_path / "latencies.json").write_text(json.dumps(PARSED["reward_latencies"]))

    def fake_train(config, out, progress):
        seen["config"] = config
        raise KeyboardInterrupt

    monkeypatch.setattr("nasdqn_fast.run.api.train", fake_train)
    settings = all_settings()
    texts = {s.keyword: VALUES.get(s.keyword, s.default) for s in settings}
    words = [[s.option] if s.annotation is bool else [s.option, texts[s.keyword]] for s in settings]
    code, _, _ = run("train", *itertools.chain(*words))
    assert code == 130
    sections = seen["config"].as_dict()
    for setting in settings:
        value = sections[setting.section][setting.key]
        expected = PARSED.get(setting.keyword, True if setting.annotation is bool else texts[setting.keyword])
        assert value == expected or str(value) == expected, setting.option


def test_without_a_terminal_progress_is_plain_lines(run, tiny):
    _, out, _ = run("train", *tiny, "--episodes", 250, "--switch-every", 125, "--out", "out")
    assert "\x1b" not in out
    assert re.findall(r"^segment (\d+) from episode (\d+): \S+ \(uniform\)$", out, re.MULTILINE) == [
        ("1", "1"),
        ("2", "126"),
    ]
    assert re.findall(
        r"^episode (\d+) of 250 \| \d+:\d\d left \| mean of last 50: [\d.]+ \| [\d,]+ steps/s \| \S+", out, re.MULTILINE
    ) == [
        "100",
        "200",
    ]


def test_at_the_end_come_the_metrics_and_the_segments(run, tmp_path, tiny):
    _, out, _ = run("train", *tiny, "--episodes", 6, "--switch-every", 2, "--out", "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    metrics = summary["metrics"]
    assert re.search(rf"mean of the last 6\)\D+{metrics['final_mean']:.2f} ", out)
    assert re.search(rf"standard deviation of the same\)\D+{metrics['final_std']:.2f} ", out)
    assert re.search(r"50-episode mean exceeds 475 +\S +not within 6 ", out)
    assert re.search(rf"best episode\D+{metrics['best']:.2f} ", out)
    for number, segment in enumerate(summary["segments"], start=1):
        episodes = f"{segment['first']}-{segment['last']}"
        assert re.search(rf"{number} +\S +{episodes} +\S +{segment['architecture']} .*{segment['score']:.2f}", out)
    assert re.search(r"wall time 0:\d\d \([\d.]+ s\), [\d.]+% of it search", out)
    assert "run directory: out" in out


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ("cartpole", "runs/nas-dqn-cartpole-seed3"),
        ("package.module:kernel", "runs/nas-dqn-package.module-kernel-seed3"),
        ("nasdqn_fast/CartPole-v1", "runs/nas-dqn-nasdqn_fast-CartPole-v1-seed3"),
    ],
)
def test_the_default_directory_is_named_after_the_run(tmp_path, monkeypatch, env, expected):
    monkeypatch.chdir(tmp_path)
    config = resolve(None, {"method": "nas-dqn", "env": env, "seed": 3})
    assert default_out(config) == Path(expected)


def test_the_default_directory_is_a_new_one_each_time(run, tmp_path, tiny):
    for _ in range(3):
        assert run("train", *tiny, "--episodes", 1, "--method", "fixed-small")[0] == 0
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == [f"fixed-small-cartpole-seed0{suffix}" for suffix in ("", "-2", "-3")]


def test_ctrl_c_keeps_what_was_done(tmp_path, tiny):
    command = [sys.executable, "-m", "nasdqn_fast", "train", *tiny, "--episodes", "10000000", "--out", "out"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("episode 100 "):
            assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert process.returncode == 130
    assert err == f"nasdqn-fast: interrupted after {summary['episodes']} episodes; to go on: nasdqn-fast resume out\n"
    assert summary["status"] == "interrupted"
    assert len((tmp_path / "out" / "episodes.csv").read_text().splitlines()) == summary["episodes"] + 1
    assert (tmp_path / "out" / "network.safetensors").is_file()
