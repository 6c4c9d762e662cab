"""docs/race.md: its Python runs, and its options are those that are declared."""

import contextlib
import io
import re
from pathlib import Path

from nasdqn_fast.config import all_settings

GUIDE = (Path(__file__).parents[2] / "docs" / "race.md").read_text(encoding="utf-8")


def test_its_python_prints_who_acted():
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, {})
    lines = [line.split() for line in output.getvalue().splitlines()]
    assert [name for name, _ in lines] == ["2x32-relu", "3x64-tanh", "2x32-relu"]
    assert all(8 <= float(mean) <= 500 for _, mean in lines)


def test_it_lists_the_options_and_their_defaults():
    rows = dict(re.findall(r"^\| `(--race-[\w-]+)` \| (\S+) \|", GUIDE, re.MULTILINE))
    assert rows == {setting.option: setting.default for setting in all_settings() if setting.key.startswith("race_")}
