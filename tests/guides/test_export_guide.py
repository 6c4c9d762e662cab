"""docs/export.md, carried out: its Python runs, and says no more than it needs."""

import re
from pathlib import Path

import pytest

GUIDE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS, ids=[f"block {i}" for i in range(len(BLOCKS))])
def test_the_python_runs(code, tmp_path, monkeypatch, capsys):
    for package in ("torch", "onnx", "tensorboard"):
        if f"interop.{package}" in code:
            pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "export.md", "exec"), {})
    assert capsys.readouterr().out


def test_the_tags_are_those_that_are_written():
    source = (Path(__file__).parents[2] / "nasdqn_fast" / "interop" / "tensorboard.py").read_text(encoding="utf-8")
    tags = r"(?:charts|losses|eval)/\w+"
    assert set(re.findall(rf"`({tags})`", GUIDE)) == set(re.findall(rf'"({tags})"', source))
