"""docs/benchmarks.md against the command: its lines parse, its tables are complete."""

import re
import shlex
from pathlib import Path

import pytest

from nasdqn_fast.benchmarking import tables
from nasdqn_fast.benchmarking.folder import groups
from nasdqn_fast.cli.bench import command

GUIDE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
SHELL = "".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL))
COMMANDS = re.findall(r"nasdqn-fast bench *([^#\n;]*)", SHELL)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_the_commands_parse(arguments):
    with command.make_context("bench", shlex.split(arguments)) as context:
        assert set(context.params["groups"]) <= set(groups())


def test_there_are_commands():
    assert len(COMMANDS) >= 8


def test_every_group_is_described():
    assert set(re.findall(r"^\| `([\w-]+)` \|", GUIDE, re.MULTILINE)) == set(groups())


def test_every_column_is_described():
    described = re.findall(r"^\| ([\w ,%-]+) \|", GUIDE, re.MULTILINE)
    columns = {column for row in described for column in row.split(", ")}
    assert columns >= set(tables.FIGURES) - {"group", "case", "unit"}
