"""The folder of checkpoints."""

import os

import pytest

from nasdqn_fast.errors import DamageError, InputError
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


def test_a_later_version_is_refused_and_is_no_damage(checkpoints):
    checkpoints.save({"n": 1})
    path = checkpoints.newest_first()[0]
    state_file.save(path, {"format": "nasdqn-fast checkpoint 3"})
    with pytest.raises(InputError, match="has the format 'nasdqn-fast checkpoint 3', this version reads up to"):
        checkpoints.load(path)


def test_a_state_of_something_else_is_damage(checkpoints):
    checkpoints.folder.mkdir()
    path = checkpoints.folder / "00000001.npz"
    state_file.save(path, {"n": 1})
    with pytest.raises(DamageError, match="it is no checkpoint"):
        checkpoints.load(path)


def test_one_set_aside_is_neither_read_nor_replaced_nor_removed(checkpoints):
    checkpoints.save({"n": 1})
    checkpoints.save({"n": 2})
    newest = checkpoints.newest_first()[0]
    checkpoints.set_aside(newest)
    assert numbers(checkpoints) == [1]
    checkpoints.save({"n": 3})
    checkpoints.set_aside(checkpoints.newest_first()[0])
    checkpoints.remove()
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == [
        "00000002.npz.damaged",
        "00000003.npz.damaged",
    ]


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
