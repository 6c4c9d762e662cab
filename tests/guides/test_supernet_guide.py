"""docs/supernet.md: its Python runs, and its options are those that are declared."""

import contextlib
import io
import re
from pathlib import Path

from nasdqn_fast.config import all_settings

GUIDE = (Path(__file__).parents[2] / "docs" / "supernet.md").read_text(encoding="utf-8")


def test_its_python_prints_what_it_says():
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        for code in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL):
            exec(code, {})
    agreement, networks = output.getvalue().splitlines()
    assert agreement.startswith("RankAgreement(tau=0.33")
    assert networks == "3x64-relu 3x64-relu 2x32-tanh"


def test_it_lists_the_options_and_their_defaults():
    rows = dict(re.findall(r"^\| `(--(?:supernet|gradient)-[\w-]+)` \| (\S+) \|", GUIDE, re.MULTILINE))
    own = ("supernet_", "gradient_")
    settings = [one for one in all_settings() if one.section == "search" and one.key.startswith(own)]
    assert rows == {setting.option: setting.default for setting in settings}
