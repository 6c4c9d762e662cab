"""Headers and .pxd files are installed: a third party's extension compiles against them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nasdqn_fast

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "low_level.md").read_text(encoding="utf-8")
FILE = re.compile(r"```(?:python|cython)\n# (?P<name>\w+\.pyx?)\n(?P<code>.*?)```", re.DOTALL)

EXTENSION = """
from nasdqn_fast.lowlevel cimport ReplayCore, ndq_row, ndq_row_reward

def sum_of_rewards(ReplayCore replay):
    cdef double total = 0
    for slot in range(replay.replay.size):
        total += ndq_row_reward(&replay.replay, ndq_row(&replay.replay, slot))
    return total
"""
SETUP = """
import nasdqn_fast, numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

include = [nasdqn_fast.get_include(), numpy.get_include()]
setup(ext_modules=cythonize([Extension("rewards", ["rewards.pyx"], include_dirs=include)], language_level=3))
"""
USE = """
import numpy as np
from nasdqn_fast import ReplayBuffer, get_include
from rewards import sum_of_rewards

replay, state = ReplayBuffer(3, 2), np.zeros(2, np.float32)
for reward in (9.0, 1.0, 2.0, 4.0):
    replay.add(state, 0, reward, state, False, False)
print(get_include(), sum_of_rewards(replay))
"""


def test_the_headers_are_where_it_is_said():
    assert {path.name for path in Path(nasdqn_fast.get_include()).glob("*.h")} >= {
        "ndq.h",
        "env.h",
        "loop.h",
        "replay.h",
    }


@pytest.mark.slow
def test_an_extension_compiles_against_the_installed_package(tmp_path):
    """A wheel is made of the checkout, installed, and cimported from by a package outside of it."""
    pytest.importorskip("Cython", reason="compiles an extension: pip install '.[dev]'")

    def run(*command, cwd=tmp_path):
        env = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
        return subprocess.run([sys.executable, *command], cwd=cwd, env=env, check=True, capture_output=True, text=True)

    run("-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, ".", cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    run("-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path / "site", wheel)
    for folder in ("rewards", "guide"):
        (tmp_path / folder).mkdir()
    (tmp_path / "rewards" / "rewards.pyx").write_text(EXTENSION)
    (tmp_path / "rewards" / "setup.py").write_text(SETUP)
    for block in FILE.finditer(GUIDE):
        (tmp_path / "guide" / block["name"]).write_text(block["code"])
    for folder in ("rewards", "guide"):
        run("setup.py", "-q", "build_ext", "--inplace", cwd=tmp_path / folder)
    where, total = run("-c", USE, cwd=tmp_path / "rewards").stdout.split()
    assert Path(where).is_relative_to(tmp_path / "site")
    assert float(total) == 1 + 2 + 4
    # Whether the numbers are right is tested with the guide; here, that they are found and called.
    lengths = [int(word) for word in run("use_greedy.py", cwd=tmp_path / "guide").stdout.split()]
    assert len(lengths) == 8
    assert all(5 < length < 500 for length in lengths)
