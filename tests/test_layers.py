"""A folder imports from lower floors only, never from its own floor or above (docs/architecture.md)."""

import ast
import re
from pathlib import Path

import pytest

import nasdqn_fast

# Top first. A room is a module or a folder of the package; rooms of one floor do not know each other.
FLOORS = """
    __init__ __main__
    cli
    report
    study
    benchmarking
    interop
    run
    config search
    testing optimal
    transfers estimators trial_estimators
    reference
    lowlevel
    engine
    _core
    envs controllers rewards
    events storage metrics plugins seeding statistics transitions
    types options flop
    space validation extras
    errors copying memory
"""
HEIGHT = {
    name: height
    for height, floor in enumerate(reversed(FLOORS.split("\n")))
    for room in floor.split()
    for name in room.split("/")
}
ROOM = {name: room for room in FLOORS.split() for name in room.split("/")}
PACKAGE = Path(nasdqn_fast.__file__).parent
FILES = sorted(path.relative_to(PACKAGE) for pattern in ("*.py", "*.pyi") for path in PACKAGE.rglob(pattern))


def imported_rooms(source):
    """Of the package's rooms, those that the source imports anywhere: in functions and for type checking, too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write the import with the package's name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, room, *_ = [*name.split("."), "__init__"]
            if package == "nasdqn_fast":
                yield room if room in HEIGHT else "__init__"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_lead_down(path):
    room = path.parts[0].split(".")[0]
    assert room in HEIGHT, f"{room} needs its place in FLOORS"
    for imported in imported_rooms((PACKAGE / path).read_text(encoding="utf-8")):
        assert ROOM[imported] == ROOM[room] or HEIGHT[imported] < HEIGHT[room], f"{room} imports {imported}"


@pytest.mark.parametrize(
    ("source", "rooms"),
    [
        ("from nasdqn_fast.envs.kernel import EnvKernel", ["envs"]),
        ("from nasdqn_fast import envs, plugins", ["envs", "plugins"]),
        ("import numpy, nasdqn_fast.cli.app", ["cli"]),
        ("import nasdqn_fast", ["__init__"]),
        ("from nasdqn_fast import train", ["__init__"]),
        ("def f():\n    from nasdqn_fast.engine import agent", ["engine"]),
        ("if TYPE_CHECKING:\n    from nasdqn_fast.run.api import train", ["run"]),
        ("from numpy.random import Generator", []),
    ],
)
def test_every_form_of_import_is_seen(source, rooms):
    assert list(imported_rooms(source)) == rooms


def test_a_relative_import_is_refused():
    with pytest.raises(AssertionError, match="line 1: write the import with the package's name"):
        list(imported_rooms("from . import space"))


def test_the_page_shows_these_floors():
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    floors = [set(re.split("[ /]", floor.strip())) for floor in FLOORS.strip().split("\n")]
    assert [set(re.findall(r"\w+", row)) for row in rows] == floors[1:]  # the public names are no room
