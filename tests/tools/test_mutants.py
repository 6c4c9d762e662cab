"""Mutants: one place is changed, and it is code."""

import importlib.util
import random
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("mutants", ROOT / "tools" / "mutants.py")
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("x = a + b;", ["x = a - b;"]),
        ("if (i < n) return;", ["if (i <= n) return;"]),
        ("x += 2;", ["x -= 2;", "x += 3;"]),
        ("y = 1.0f;", ["y = 1.5f;"]),
        ("y = x[i];", ["y = x[(i) + 1];"]),
        ("y = -*p;", []),
        ("const float *restrict p = &q;", []),
        ('/* a + 1 */ f("b + 2"); // c - 3', []),
        ("#define N (2 + \\\n 3)\n", []),
        ("i++;", ["i--;"]),
        ("p->next;", []),
    ],
)
def test_every_operator_constant_and_index_of_the_code_is_changed_and_nothing_else(text, changed):
    assert [mutant.of(text) for mutant in tool.mutants(text)] == changed


def test_the_draws_depend_on_the_seed_alone():
    drawn = [list(tool.draw(ROOT, ["ext/kernels/replay.c"], random.Random(seed))) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert sorted(drawn[0]) == sorted(drawn[2])


def test_every_source_of_the_core_has_tests_and_they_are_there():
    sources = [path.relative_to(ROOT).as_posix() for path in (ROOT / "ext" / "kernels").rglob("*.c")]
    in_python = [path.relative_to(ROOT).as_posix() for pattern in tool.IN_PYTHON for path in ROOT.glob(pattern)]
    assert sources
    assert len(in_python) > 40
    for path in sources + in_python:
        assert all((ROOT / test).exists() for test in tool.tests_of(path))


SOURCE = """
def smaller(a: int | None = None, b: float = 2):
    \"\"\"Not a * b.\"\"\"
    return a if a <= b else b  # a + b
"""


def test_in_python_each_place_is_changed_once_but_no_annotation_docstring_or_comment(monkeypatch):
    pytest.importorskip("cosmic_ray")
    monkeypatch.syspath_prepend(ROOT / "tools")
    lines = SOURCE.splitlines()
    for seed in range(9):
        found = [make() for make in tool.mutants_in_python(SOURCE, random.Random(seed))]
        changed = [mutant.of(SOURCE).splitlines() for mutant in found]
        where = [[old == new for old, new in zip(lines, new, strict=True)].index(False) for new in changed]
        assert where == [1, 3, 3]  # 2, the condition, and <=
        assert all("a: int | None = None, b: float = " in new[1] for new in changed)
        assert all(new[3].endswith("  # a + b") for new in changed)
