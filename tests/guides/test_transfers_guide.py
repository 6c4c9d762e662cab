"""docs/transfers.md, carried out: its files are written, its contract runs, its training trains."""

import re
import sys
from pathlib import Path

import pytest

from nasdqn_fast import plugins
from nasdqn_fast.testing.transfers import make_switch, trained_network
from nasdqn_fast.transfers.base import apply, make

GUIDE = Path(__file__).parents[2] / "docs" / "transfers.md"


@pytest.fixture
def folder(written):
    return written(GUIDE)


@pytest.fixture
def importable(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    yield
    sys.modules.pop("my_transfer", None)


@pytest.mark.slow
def test_the_transfer_keeps_its_contract_with_every_option(folder, python):
    output = python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_transfer.py")
    assert re.search(r"\d+ passed in", output)


def test_the_training_switches(folder, python):
    lines = python(folder, "train_with_my_transfer.py").splitlines()
    assert len(lines) == 5
    assert any("TransferReport(kept=" in line for line in lines)
    assert all("Cost(steps=" in line for line in lines)


def test_the_transfer_grows_a_network_without_moving_q(importable):
    old = trained_network("numpy", "2x8-tanh")
    _, report = apply(make("my_transfer:plugin"), make_switch(old, "2x17-tanh"))
    assert report.q_change_max == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(("worse", "accepted", "note"), [(True, False, "0.0 instead of 3.0"), (False, True, "")])
def test_the_guard_refuses_what_plays_worse(importable, worse, accepted, note):
    """Oracle: a game in which a network earns what is said here."""
    old, asked = trained_network("numpy", "2x8-tanh"), []

    def play(network, n):
        asked.append(n)
        episodes = make_switch(old, "2x8-tanh").play(network, n)
        episodes.returns[:] = 0.0 if worse and network is not old else 3.0
        return episodes

    _, report = apply(make("my_transfer:plugin", {"guard": 4}), make_switch(old, "2x5-tanh", play=play))
    assert (report.accepted, report.note) == (accepted, note)
    assert asked == [4, 4]


def test_the_page_lists_every_transfer():
    page = GUIDE.read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in plugins.names("transfers"))
