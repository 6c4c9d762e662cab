"""docs/estimators.md, carried out: its files are written, its contract runs, its training trains."""

import re
import sys
from pathlib import Path

import pytest

from nasdqn_fast import plugins
from nasdqn_fast.estimators.base import apply, make
from nasdqn_fast.testing.estimators import make_segment

GUIDE = Path(__file__).parents[2] / "docs" / "estimators.md"


@pytest.fixture
def folder(written):
    return written(GUIDE)


@pytest.mark.slow
def test_the_estimator_keeps_its_contract(folder, python):
    output = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_estimator.py")
    assert re.search(r"\d+ passed in", output)


@pytest.mark.parametrize(("options", "score"), [({}, 100 - 0.1 * 64), ({"price": 1.0}, 100 - 64.0)])
def test_units_have_their_price(folder, monkeypatch, options, score):
    monkeypatch.syspath_prepend(folder)
    estimator = make("my_estimator:plugin", options)
    sys.modules.pop("my_estimator")
    assert apply(estimator, make_segment((5,), lambda episode: 100.0)) == pytest.approx(score)


def test_the_training_scores_by_it(folder, python):
    """Oracle: the same run by its mean returns, segments of two episodes being whole."""
    scores = [float(line.split()[1]) for line in python(folder, "train_with_my_estimator.py").splitlines()]
    script = folder / "train_with_my_estimator.py"
    script.write_text(script.read_text().replace("my_estimator:plugin", "mean-return"))
    lines = [line.split() for line in python(folder, script.name).splitlines()]
    units = [int(re.match(r"1x(\d+)", architecture)[1]) for architecture, _ in lines]
    assert scores == pytest.approx([float(mean) - 0.1 * n for n, (_, mean) in zip(units, lines, strict=True)])


def test_the_page_lists_every_estimator_and_its_option():
    page = GUIDE.read_text(encoding="utf-8")
    for name in plugins.names("estimators"):
        default = make(name).options.episodes
        assert re.search(rf"\| `{name}` \|.*\| `episodes`, {default} \|", page)
