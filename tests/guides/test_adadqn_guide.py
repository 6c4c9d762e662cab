"""docs/adadqn.md: its Python runs, and its options are those that are declared."""

import contextlib
import io
import re
from pathlib import Path

from nasdqn_fast.config import all_settings

GUIDE = (Path(__file__).parents[2] / "docs" / "adadqn.md").read_text(encoding="utf-8")


def test_its_python_prints_the_choices():
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, {})
    lines = output.getvalue().splitlines()
    assert lines
    assert lines[0].split()[0] == "200"
    assert all(re.fullmatch(r"\d+ (2x32-relu(\+adam\+lr=0\.001)?|3x64-tanh) \[.*\]", line) for line in lines)


def test_it_lists_the_options_and_their_defaults():
    rows = dict(re.findall(r"^\| `(--adadqn-[\w-]+)` \| (\S+) \|", GUIDE, re.MULTILINE))
    settings = [setting for setting in all_settings() if setting.key.startswith("adadqn_")]
    assert list(rows) == [setting.option for setting in settings]
    for setting in settings:
        assert rows[setting.option] == ("none" if setting.about.default == () else setting.default)
