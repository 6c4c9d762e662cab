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


def test_the_search_of_the_first_screen_learns_across_its_switches(capsys):
    """A random policy returns 80 on average, the best possible one 196."""
    assert len([line for line in PYTHON[0].splitlines() if line]) <= 10
    exec(compile(PYTHON[0], "README.md", "exec"), {})
    *segments, action = capsys.readouterr().out.splitlines()
    architectures, scores = zip(*(line.split() for line in segments), strict=True)
    assert len(set(architectures)) == 3
    assert int(scores[-1]) > 180
    assert action in ("0", "1", "2")


def test_the_agent_of_the_example_learns(capsys):
    """A random policy returns 80 on average, the best possible one 196."""
    (code,) = [block for block in PYTHON if "run_episodes" in block]
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    before, after = map(float, capsys.readouterr().out.split())
    assert before < 110
    assert after > 160
    assert names["agent"].updates > 10_000


@pytest.mark.slow
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


def test_it_links_every_page():
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= set(LINKS)


def test_there_is_something_to_test():
    assert len(PYTHON) == 2  # each has its test above
    assert len(COMMANDS) >= 5
    assert len(LINKS) >= 6
