"""Damaged files: a few cases of the fuzzer in full, more of them on the functions that read, and nothing executed."""

import io
import pickle
import random
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasdqn_fast
from nasdqn_fast.benchmarking import report
from nasdqn_fast.config import resolve
from nasdqn_fast.errors import DamageError, InputError
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


@pytest.mark.slow
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


def spin():
    while True:
        pass


def test_a_time_limit_is_one_of_running_not_of_waiting_for_a_processor(damage, monkeypatch):
    monkeypatch.syspath_prepend(HERE)
    from fuzz_files import FORK, _join

    patient, spinning = FORK.Process(target=time.sleep, args=(0.6,)), FORK.Process(target=spin)
    for process in (patient, spinning):
        process.start()
        _join(process, 0.2)
    try:
        assert patient.exitcode == 0
        assert spinning.exitcode is None
    finally:
        spinning.kill()
        spinning.join()


def read_or_refusal(read, path):
    """What there is to read, or None and why there is nothing."""
    try:
        return read(path), ""
    except InputError as error:
        return None, str(error)


SEEDS = st.integers(0, 2**32)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(SEEDS, st.sampled_from(["safetensors", "npz"]))
def test_a_damaged_network_is_refused_or_whole(damage, sound, tmp_path_factory, seed, suffix):
    rng, path = random.Random(seed), tmp_path_factory.mktemp("network") / f"network.{suffix}"
    nasdqn_fast.QNetwork.load(sound / "network.safetensors").save(path)
    content, altered = path.read_bytes(), getattr(damage, f"altered_{suffix}")
    path.write_bytes(altered(content, rng) if rng.random() < 0.5 else damage.damaged(content, rng))
    network, refusal = read_or_refusal(nasdqn_fast.QNetwork.load, path)
    assert str(path) in refusal if network is None else np.isfinite(network.parameters).all()


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_a_damaged_checkpoint_is_refused_or_what_it_was(damage, sound, tmp_path_factory, seed):
    path = tmp_path_factory.mktemp("state") / "00000001.npz"
    newest = Checkpoints(sound / "checkpoints").newest_first()[0]
    path.write_bytes(damage.damaged(newest.read_bytes(), random.Random(seed)))
    try:
        state = state_file.load(path)
    except DamageError:
        return
    np.testing.assert_equal(state, state_file.load(newest))


@pytest.mark.slow
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
    nasdqn_fast.QNetwork.load(sound / "network.safetensors").save(tmp_path / "network.npz")
    whole = npz.read((tmp_path / "network.npz").read_bytes())
    for content in (stream.getvalue(), pickle.dumps(Canary(song))):
        for name in (*whole, "state"):
            path = tmp_path / "00000001.npz"
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(f"{name}.npy", content)
            with pytest.raises(InputError, match="damaged or foreign"):
                nasdqn_fast.QNetwork.load(path)
            with pytest.raises(DamageError):
                state_file.load(path)
    assert not song.exists()
    pickle.loads(pickle.dumps(Canary(song)))
    assert song.exists(), "a canary that cannot sing proves nothing"
