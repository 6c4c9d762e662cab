"""README.md, carried out: its Python runs, its commands too, on a tiny budget, its links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from nasdqn_fast.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHELL = "".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
COMMANDS = re.findall(r"(?:^|&& )(?:\S*/)?nasdqn-fast +([^#\n]*)", SHELL, re.MULTILINE)
SHORT = {
    "train": ["--episodes", "4", "--switch-every", "2", "--max-episode-steps", "20"],
    "evaluate": ["--episodes", "2"],
    "export": ["--episodes", "2"],
    "bench": ["--seconds", "0"],
}
LINKS = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]


@pytest.mark.parametrize("code", PYTHON, ids=[f"block {i}" for i in range(len(PYTHON))])
def test_the_python_runs(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_agent_of_the_example_learns(capsys):
    """A random policy returns 80 on average, the best possible one 196."""
    (code,) = [block for block in PYTHON if "run_episodes" in block]
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    before, after = map(float, capsys.readouterr().out.split())
    assert before < 110
    assert after > 160
    assert names["agent"].updates > 10_000


def test_the_commands_run(tmp_path, monkeypatch, capsys):
    """One after the other, as they build upon each other; the last of equal options counts, which keeps them short."""
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        arguments = shlex.split(command)
        assert main([*arguments, *SHORT.get(arguments[0], [])]) == 0, (command, capsys.readouterr().err)
    assert {path.name for path in (tmp_path / "runs").iterdir()} >= {
        "random-nas-inverted-pendulum-seed0",
        "nas-dqn-inverted-pendulum-seed3",
        "nas-dqn-inverted-pendulum-seed4",
    }


@pytest.mark.parametrize("link", LINKS)
def test_the_links_lead_somewhere(link):
    assert (ROOT / link).exists()


def test_there_is_something_to_test():
    assert len(PYTHON) >= 2
    assert len(COMMANDS) >= 5
    assert len(LINKS) >= 6
