"""Damaged files: a few cases of the fuzzer in full, more of them on the functions that read, and nothing executed."""

import io
import pickle
import random
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasdqn_fast
from nasdqn_fast.benchmarking import report
from nasdqn_fast.config import resolve
from nasdqn_fast.errors import InputError
from nasdqn_fast.run.api import resume
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.storage import npz, state_file

HERE = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def damage():
    """The module of that name, which the script imports as its neighbour."""
    sys.path.insert(0, str(HERE))
    import damage

    yield damage
    sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A run that was left, and a report."""
    run = tmp_path_factory.mktemp("sound") / "run"

    def stop(event):
        if getattr(event, "segment", 1) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nasdqn_fast.train("nas-dqn", "cartpole", episodes=9, switch_every=3, warm_up=5, batch_size=4, optimizer="adam",
                          architectures=["1x4-relu", "2x3-tanh"], replay_capacity=60, checkpoint_every="1",
                          max_episode_steps=20, out=run, progress=stop)  # fmt: skip
    report.save(run / "report.json", report.Report({"processor": "x"}, 1e9, ()))
    return run


def test_the_command_copes_with_damaged_files():
    """66 of the script's cases, some of each kind of file."""
    command = [sys.executable, str(HERE / "fuzz_files.py"), "--cases", "66", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^66 damaged files; 0 were not coped with$", done.stdout, re.MULTILINE)
    assert "WRONG" not in done.stdout


def test_the_fuzzer_sees_what_is_wrong(damage):
    sys.path.insert(0, str(HERE))
    from fuzz_files import Ended

    sys.path.remove(str(HERE))
    fine = {"code": 2, "errors": "nasdqn-fast: refused\n", "seconds": 1.0, "peak": 0, "terminated": False}
    assert Ended(**fine).complaint(False, 0) is None
    assert Ended(**fine | {"errors": "nasdqn-fast: warning: x\n" + fine["errors"]}).complaint(False, 0) is None
    for wrong in (
        {"code": -11},
        {"code": 70},
        {"code": 0},
        {"errors": ""},
        {"errors": "Traceback (most recent call last):\n" + fine["errors"]},
        {"errors": "ValueError: bare\n"},
        {"terminated": True},
        {"peak": 1 << 30},
    ):
        assert Ended(**fine | wrong).complaint(False, 0), wrong


def read_or_refusal(read, path):
    """What there is to read, or None and why there is nothing."""
    try:
        return read(path), ""
    except InputError as error:
        return None, str(error)


SEEDS = st.integers(0, 2**32)


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_a_damaged_network_is_refused_or_whole(damage, sound, tmp_path_factory, seed):
    rng, path = random.Random(seed), tmp_path_factory.mktemp("network") / "network.npz"
    content = (sound / "network.npz").read_bytes()
    path.write_bytes(damage.altered_npz(content, rng) if rng.random() < 0.5 else damage.damaged(content, rng))
    network, refusal = read_or_refusal(nasdqn_fast.QNetwork.load, path)
    assert str(path) in refusal if network is None else np.isfinite(network.parameters).all()


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_a_damaged_checkpoint_file_is_a_value_error(damage, sound, tmp_path_factory, seed):
    path = tmp_path_factory.mktemp("state") / "00000001.npz"
    newest = Checkpoints(sound / "checkpoints").newest_first()[0]
    path.write_bytes(damage.damaged(newest.read_bytes(), random.Random(seed)))
    try:
        state = state_file.load(path)
    except ValueError:
        return
    assert isinstance(state, dict)


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_a_damaged_config_or_report_is_an_input_error(damage, sound, tmp_path_factory, seed):
    rng, folder = random.Random(seed), tmp_path_factory.mktemp("text")
    for name, read in (("config.toml", resolve), ("report.json", report.load)):
        content = (sound / name).read_bytes()
        (folder / name).write_bytes(
            damage.renumber(content, rng) if rng.random() < 0.5 else damage.damaged(content, rng)
        )
        found, refusal = read_or_refusal(read, folder / name)
        assert found is not None or str(folder / name) in refusal


class Canary:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_in_a_file_is_executed(sound, tmp_path):
    """Pickles, where arrays should be: NumPy would run them if it were allowed to."""
    song = tmp_path / "song"
    bird = np.array([Canary(song)], dtype=object)
    stream = io.BytesIO()
    np.lib.format.write_array(stream, bird, allow_pickle=True)
    whole = npz.read(io.BytesIO((sound / "network.npz").read_bytes()))
    for content in (stream.getvalue(), pickle.dumps(Canary(song))):
        for name in (*whole, "state"):
            path = tmp_path / "00000001.npz"
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(f"{name}.npy", content)
            with pytest.raises(InputError, match="damaged or foreign"):
                nasdqn_fast.QNetwork.load(path)
            with pytest.raises(ValueError, match=r"no place here|magic|header"):
                state_file.load(path)
    assert not song.exists()
    pickle.loads(pickle.dumps(Canary(song)))
    assert song.exists(), "a canary that cannot sing proves nothing"


def crafted(sound, tmp_path, change):
    """The run with one checkpoint, whose checksums are right."""
    run = tmp_path / "run"
    shutil.copytree(sound, run)
    newest, *older = Checkpoints(run / "checkpoints").newest_first()
    for path in older:
        path.unlink()
    state = state_file.load(newest)
    change(state)
    state_file.save(newest, state)
    return run


def set_(*keys, to):
    def change(state):
        *way, last = keys
        for key in way:
            state = state[key]
        state[last] = to(state[last]) if callable(to) else to

    return change


def with_(value, at=0):
    """An array of which one number is this."""

    def change(array):
        array = array.copy()
        array.flat[at] = value
        return array

    return change


AGENT, LOOP = ("trainer", "agent"), ("trainer", "agent", "loop")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_(*AGENT, "replay", "actions", to=with_(2)), r"actions must be in \[0, 2\)"),
        (set_(*AGENT, "replay", "rewards", to=with_(np.nan)), "rewards must be finite"),
        (set_(*AGENT, "replay", "capacity", to=61), "capacity 61"),
        (set_(*AGENT, "replay", "next", to=60), "next must be an integer from 0 to 59"),
        (set_(*AGENT, "network", to=with_(np.inf)), "network must be finite"),
        (set_(*AGENT, "target", to=with_(np.nan)), "target must be finite"),
        (set_(*AGENT, "architecture", to="1024x1048576-relu"), "are not those of 1024x1048576-relu"),
        (set_(*AGENT, "optimizer", "m", to=with_(np.nan)), "m holds NaN"),
        (set_(*AGENT, "optimizer", "m", to=lambda m: m[None]), "the optimizer's state is not that of"),
        (set_(*AGENT, "optimizer", "v", to=lambda v: v[:0]), "v must be float32"),
        # With an even increment a generator may repeat itself for ever, and a draw until it fits never ends.
        (set_(*AGENT, "streams", "replay", "state", to={"state": 0, "inc": 0}), "must be odd"),
        (set_(*AGENT, "replay", "rng", "state", to={"state": 0, "inc": 2}), "must be odd"),
        (set_(*AGENT, "streams", "env", "state", "state", to=-1), ""),
        (set_(*LOOP, "episodes", to=3), "episodes_done must be that of the agent"),
        (set_("trainer", "last", to=10), "last must be an integer from 1 to 9"),
        (set_("trainer", "first_step", to=2**50), "first_step must be an integer from 0"),
        (set_("trainer", "returns", to=with_(np.inf)), "a sum of rewards"),
        (set_("trainer", "returns", to=lambda returns: returns[:0]), "must have returns"),
        (set_("trainer", "proposal", "reason", to="other"), "the controller waits for"),
        (set_("trainer", "controller", "switches", to=-(10**6)), "switches must be an integer >= 0"),
        (set_("trainer", "controller", "best", to=[["1x4-relu", np.nan]]), "a sum of rewards"),
        (set_("recorder", "current", to=0), ""),
        (set_("recorder", "current", "score", to=np.nan), "a sum of rewards"),
        (set_("recorder", "episodes", "returns", to=with_(np.nan)), "a sum of rewards"),
        (
            set_("recorder", "episodes", to=lambda columns: {name: c[:-1] for name, c in columns.items()}),
            "its parts count",
        ),
        (set_("seconds", "total", to=np.inf), "total must be"),
        (set_("seconds", "train", to=-1), "train must be at least 0"),
        (set_("seconds", to={"total": 1.0, "sleep": 1.0}), "sleep"),
        (set_("build", to=[]), ""),
    ],
)
def test_a_crafted_checkpoint_is_refused_and_nothing_touched(sound, tmp_path, change, reason):
    run = crafted(sound, tmp_path, change)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=rf"no checkpoint in .* can be used: .*{reason}"):
        resume(run)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_what_is_crafted_would_otherwise_go_on(sound, tmp_path):
    assert resume(crafted(sound, tmp_path, lambda state: None)).status == "finished"
