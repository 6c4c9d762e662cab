"""What the tests of the guides share: the files that a guide has its reader write, and Python beside them."""

import os
import re
import subprocess
import sys

import pytest

BLOCK = re.compile(r"```(?:python|cython)\n# (?P<name>\w+\.pyx?)\n(?P<code>.*?)```", re.DOTALL)


@pytest.fixture
def written(tmp_path):
    """Writes the files of a guide, and returns their folder."""

    def write(guide):
        for block in BLOCK.finditer(guide.read_text(encoding="utf-8")):
            (tmp_path / block["name"]).write_text(block["code"], encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def python():
    """Runs Python in a folder, whose modules it can import, and returns what it wrote."""

    def run(folder, *arguments):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
        command = [sys.executable, *arguments]
        finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    return run
