"""The folder of checkpoints."""

import os

import pytest

from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.storage import state_file


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints")


def numbers(checkpoints):
    return [checkpoints.load(path)["n"] for path in checkpoints.newest_first()]


def test_the_last_two_are_kept(checkpoints):
    assert checkpoints.newest_first() == []
    for n in range(12):
        checkpoints.save({"n": n})
        assert numbers(checkpoints) == [n, n - 1][: n + 1]


def test_numbers_go_on_where_another_process_stopped(checkpoints):
    checkpoints.save({"n": 1})
    again = Checkpoints(checkpoints.folder)
    again.save({"n": 2})
    assert numbers(again) == [2, 1]


def test_one_that_cannot_be_written_costs_none(checkpoints, monkeypatch):
    checkpoints.save({"n": 1})
    checkpoints.save({"n": 2})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save({"n": 3})
    assert numbers(checkpoints) == [2, 1]
    assert len(list(checkpoints.folder.iterdir())) == 2


def test_another_version_is_refused(checkpoints):
    checkpoints.save({"n": 1})
    path = checkpoints.newest_first()[0]
    state_file.save(path, {"format": "nasdqn-fast checkpoint 2"})
    with pytest.raises(ValueError, match="format is 'nasdqn-fast checkpoint 2', this version reads"):
        checkpoints.load(path)


def test_removing_takes_what_is_ours(checkpoints):
    checkpoints.remove()
    checkpoints.save({"n": 1})
    (checkpoints.folder / ".00000002.npz.0123456789abcdef").write_text("of a process that was killed")
    checkpoints.clean()
    assert len(list(checkpoints.folder.iterdir())) == 1
    (checkpoints.folder / "note").write_text("precious")
    checkpoints.remove()
    assert [path.name for path in checkpoints.folder.iterdir()] == ["note"]
    (checkpoints.folder / "note").unlink()
    checkpoints.remove()
    assert not checkpoints.folder.exists()
