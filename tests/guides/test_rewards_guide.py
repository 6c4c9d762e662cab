"""docs/rewards.md: its commands are taken, its file of latencies is read, its tables list what there is."""

import json
import re
import shlex
from pathlib import Path

import pytest

from nasdqn_fast.cli import main, tables
from nasdqn_fast.rewards.cost import MEASURES
from nasdqn_fast.rewards.forms import FORMS
from nasdqn_fast.rewards.latency_file import check_latencies
from nasdqn_fast.run import api
from nasdqn_fast.study.table.plan import Plan
from nasdqn_fast.study.table.tabulate import tabulate

PAGE = (Path(__file__).parents[2] / "docs" / "rewards.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^nasdqn-fast (.*)$", PAGE, re.MULTILINE)


def rows(column):
    return re.findall(r"^\| `([a-z]+)` \|", PAGE.partition(f"| `--{column}` |")[2].partition("\n\n")[0], re.MULTILINE)


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("train")])
def test_a_run_gets_these_settings(command, monkeypatch, tmp_path):
    configs = []
    monkeypatch.setattr(api, "train", lambda **given: configs.append(given["config"]))
    monkeypatch.setattr(tables, "show_run", lambda *_: None)
    assert main([*shlex.split(command), "--out", str(tmp_path / "out")]) == 0
    (config,) = configs
    assert config.reward.cost == "parameters" or config.search.max_parameters == 10_000


def test_a_table_is_searched_with_these_settings(monkeypatch, tmp_path, capsys):
    (command,) = [line for line in COMMANDS if line.startswith("search")]
    monkeypatch.chdir(tmp_path)
    plan = Plan(("hanging",), ("2x32-relu", "3x64-relu"), 2, episodes=3, evaluate_every=1, evaluate_episodes=1)
    tabulate(tmp_path / "table", plan)
    assert main(shlex.split(command)) == 0
    assert "hanging: the best final score of all is" in capsys.readouterr().out


def test_costs_and_forms_are_those_there_are():
    assert rows("reward-cost") == list(MEASURES)
    assert rows("reward-form") == list(FORMS)


def test_the_file_of_latencies_is_one():
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert check_latencies("latencies", json.loads(block)) == {"2x32-relu": 1.1e-06, "3x64-relu": 2.4e-06}
