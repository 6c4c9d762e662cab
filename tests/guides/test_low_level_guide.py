"""docs/low_level.md, carried out: its update learns, its extension is built and agrees with the functions."""

import re
from pathlib import Path

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast import lowlevel

GUIDE = Path(__file__).parents[2] / "docs" / "low_level.md"


def expected_lengths():
    """What the guide's extension is to return, by the functions over arrays."""
    cartpole = nasdqn_fast.make("cartpole")
    network = nasdqn_fast.QNetwork("1x32-relu", 4, 2, rng=1)
    states, x = lowlevel.environment_reset(cartpole, np.random.default_rng(0).random((8, 4)))
    lengths = np.full(8, 500)
    for step in range(1, 500):
        actions = lowlevel.forward(network.parameters, "1x32-relu", x).argmax(axis=1)
        states, x, _, ended = lowlevel.environment_step(cartpole, states, actions, np.empty((8, 0)))
        lengths = np.where(ended & (step < lengths), step, lengths)
    return lengths.tolist()


def test_the_updates_bring_the_loss_down(written, python):
    losses = [float(line.split()[1]) for line in python(written(GUIDE), "update.py").splitlines()]
    assert len(losses) == 4
    assert losses[-1] < losses[0] / 2


@pytest.mark.slow
def test_the_extension_is_built_and_right(written, python, monkeypatch):
    pytest.importorskip("Cython", reason="compiles an extension: pip install '.[dev]'")
    monkeypatch.setenv("CFLAGS", "-O0")  # compiled sooner, and no slower to test
    folder = written(GUIDE)
    python(folder, "setup.py", "-q", "build_ext", "--inplace")
    lengths = [int(word) for word in python(folder, "use_greedy.py").split()]
    assert lengths == expected_lengths()
    assert len(set(lengths)) > 1


def test_the_page_names_every_function():
    page = GUIDE.read_text(encoding="utf-8")
    declared = (Path(lowlevel.__file__).with_suffix(".pxd")).read_text(encoding="utf-8")
    functions = re.findall(r"\b(?:net|env|replay)_\w+\b", declared)
    assert len(functions) == 8
    assert all(re.search(rf"`{name}\b", page) for name in [*functions, *set(lowlevel.__all__) - {"EnvironmentStep"}])
