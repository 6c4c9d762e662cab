"""docs/experiments.md: its Python, run as one script; its methods and tasks are those of the package."""

import re
from pathlib import Path

import pytest

from nasdqn_fast.study.cells import config_of, split_names
from nasdqn_fast.study.study import Study

PAGE = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")


def test_the_examples_train_and_read_a_study(tmp_path, python):
    (tmp_path / "guide.py").write_text("\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)))
    lines = python(tmp_path, "guide.py").splitlines()
    study = Study.open(tmp_path / "small-study")
    means = [f"{t.label} {t.seed} {study.summary(t)['mean_return']}" for t in study.trials()]
    assert lines[:4] == means
    assert lines[4].startswith("True 1 {")
    assert len(lines) == 9


CONTROLS = re.findall(r"^\| [^|]+ \| ((?:`[^`]+`(?:, )?)+) \|$", PAGE.partition("## Pairs")[0], re.MULTILINE)


@pytest.mark.parametrize("name", [name for row in CONTROLS for name in re.findall(r"`([^`]+)`", row)])
def test_every_control_of_the_table_can_be_trained(name):
    if name.startswith("--tasks "):
        config = config_of(None, {}, name.removeprefix("--tasks "), "nas-dqn")
        assert (config.env.start, config.env.max_episode_steps) == ("hanging", 400)
    else:
        assert split_names(f"{name},nas-dqn") == [name, "nas-dqn"]
        config_of(None, {}, "inverted-pendulum", name)


def test_the_table_has_controls():
    assert len(CONTROLS) >= 6
