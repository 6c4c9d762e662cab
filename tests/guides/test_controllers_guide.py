"""docs/controllers.md, carried out: its files are written, its contract runs, its training trains."""

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "controllers.md"


@pytest.fixture
def folder(written):
    return written(GUIDE)


@pytest.mark.slow
def test_the_controller_keeps_its_contract(folder, python):
    assert re.search(r"\d+ passed in", python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"))


def test_the_training_tries_each_once_and_then_stays_with_the_best(folder, python):
    segments = [line.split() for line in python(folder, "train.py").splitlines()]
    architectures, reasons, scores = zip(*segments, strict=True)
    assert reasons == ("trial", "trial", "trial", "best", "best")
    assert architectures[:3] == ("1x8-relu", "1x16-relu", "1x32-relu")
    best = max(range(3), key=lambda i: float(scores[i]))
    assert architectures[3:] == (architectures[best],) * 2
