"""CONTRIBUTING.md and CITATION.cff: what they name is there."""

import re
from pathlib import Path

import pytest

import nasdqn_fast

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?<![\w/])(?:tests|tools|docs|\.ci)/[\w./]*\w", GUIDE))))
def test_its_files_are_there(path):
    assert (ROOT / path).exists()


def test_the_kernel_tests_it_runs_are_there():
    (words,) = re.findall(r"test_kernels\.py -k '([\w ]+)'", GUIDE)
    name, target = words.split(" and ")
    tests = (ROOT / "tests" / "engine" / "test_kernels.py").read_text(encoding="utf-8")
    assert re.search(rf"def test_\w*{name}\w*\(cpu_target\)", tests)
    assert target in ("baseline", "avx2", "avx512")


def test_the_version_to_cite_is_that_of_the_package():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (\S+)$", citation, re.MULTILINE) == [nasdqn_fast.__version__]
