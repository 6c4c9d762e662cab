"""Resuming where something is missing or damaged: from the checkpoint before, from the start, or not at all."""

import os
import shutil

import pytest
from left_runs import SMALL, contents, leave

from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Played, Resumed, Told
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.checkpoints import Checkpoints


def crash(out, event_type, **options):
    """Trains until the first such event and is gone, as after SIGKILL, with no chance to save anything."""

    def die(event):
        if isinstance(event, event_type):
            raise SystemExit

    with pytest.raises(SystemExit):
        train(**options, out=out, progress=die)
    (out / "summary.json").unlink()
    (out / "network.safetensors").unlink()
    shutil.rmtree(out / "checkpoints", ignore_errors=True)


@pytest.mark.parametrize("event", [Played, Told])
def test_without_a_checkpoint_it_starts_over(tmp_path, event):
    train(**SMALL, out=tmp_path / "whole")
    crash(tmp_path / "left", event, **SMALL | {"checkpoint_every": "never"})
    shutil.copy(tmp_path / "whole" / "config.toml", tmp_path / "left")
    with pytest.warns(UserWarning, match="has no checkpoint yet: starting over"):
        resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


DAMAGES = {
    "truncated": lambda content: content[:-9],
    "empty": lambda content: b"",
    "reversed": lambda content: content[::-1],
}


@pytest.mark.quick_only(damage=DAMAGES["truncated"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, damage):
    train(**SMALL, out=tmp_path / "whole")
    leave(tmp_path / "left", 7, **SMALL)
    newest, _ = Checkpoints(tmp_path / "left" / "checkpoints").newest_first()
    newest.write_bytes(damage(newest.read_bytes()))
    resumed = []
    with pytest.warns(UserWarning, match=rf"checkpoint {newest.name} \(.+\) cannot be used; going on from"):
        resume(tmp_path / "left", progress=lambda event: resumed.append(event) if isinstance(event, Resumed) else None)
    assert [len(event.episodes) for event in resumed] == [6]
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")
    kept = sorted(path.name for path in (tmp_path / "left" / "checkpoints").iterdir())
    assert kept == [f"{newest.name}.damaged", "00000006.npz"]


def damage_checkpoints(run):
    for path in Checkpoints(run / "checkpoints").newest_first():
        path.write_bytes(b"damaged")


def damage_second_log(run):
    path = run / "architectures.jsonl"
    path.write_bytes(path.read_bytes().replace(b"ask", b"ASK"))


@pytest.mark.parametrize("damage", [damage_checkpoints, damage_second_log])
def test_without_a_sound_checkpoint_nothing_is_touched(tmp_path, damage):
    leave(tmp_path, 7, **SMALL)
    with (tmp_path / "episodes.csv").open("a") as rows:
        rows.write("written after the last checkpoint\n")
    damage(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"no checkpoint in .* can be used: .*\.npz \(.*\), .*; train --config"):
        resume(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_log_that_was_cut_short_falls_back_too(tmp_path):
    """As after a loss of power on a disk that had lied about what it holds: the older state ends earlier."""
    train(**SMALL, out=tmp_path / "whole")
    leave(tmp_path / "left", 7, **SMALL)
    path = tmp_path / "left" / "episodes.csv"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.warns(UserWarning, match=r"episodes\.csv is not as it was written"):
        resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


@pytest.mark.parametrize("name", ["network.safetensors", "episodes.csv", "architectures.jsonl"])
def test_starting_over_deletes_no_file_of_the_user(tmp_path, name):
    (tmp_path / "config.toml").write_text("# mine\n[env]\nname = 'cartpole'\n")
    (tmp_path / name).write_text("precious")
    with pytest.raises(InputError, match=rf"has no checkpoint, and .* leaves no such {name}; nothing was touched"):
        resume(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.toml", name}
    assert (tmp_path / name).read_text() == "precious"


def test_a_run_that_ended_between_network_and_summary_starts_over(tmp_path):
    options = SMALL | {"checkpoint_every": "never"}
    train(**options, out=tmp_path / "whole")
    train(**options, out=tmp_path / "left")
    (tmp_path / "left" / "summary.json").unlink()
    with pytest.warns(UserWarning, match="starting over"):
        resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


def test_starting_over_leaves_the_config_as_it_is(tmp_path):
    text = "# mine\n[env]\nname = 'cartpole'\n[run]\nepisodes = 2\n"
    (tmp_path / "config.toml").write_text(text)
    with pytest.warns(UserWarning, match="starting over"):
        resume(tmp_path)
    assert (tmp_path / "config.toml").read_text() == text


def test_all_is_on_the_disk_before_the_summary_says_finished(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def note(descriptor):
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    train(**SMALL | {"checkpoint_every": "never"}, out=tmp_path / "run")
    inodes = {path.name: path.stat().st_ino for path in (tmp_path / "run").iterdir()}
    order = [name for inode in synced for name in inodes if inodes[name] == inode]
    assert order[0] == "config.toml"
    assert set(order[1:-1]) == {"episodes.csv", "architectures.jsonl", "network.safetensors"}
    assert order[-1] == "summary.json"


def test_a_finished_run_whose_summary_is_damaged_is_not_taken_for_an_unfinished_one(tmp_path):
    train(**SMALL, out=tmp_path)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(InputError, match=r"summary\.json' is damaged; if the run had not finished, delete it"):
        resume(tmp_path)
    assert (tmp_path / "episodes.csv").exists()
