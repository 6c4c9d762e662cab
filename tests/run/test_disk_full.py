"""Full disks and directories that cannot be written: one line, nothing damaged, and the run can go on later."""

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import warnings

import pytest
from left_runs import contents, interrupting_at

from nasdqn_fast.cli import main
from nasdqn_fast.errors import InputError, NonFiniteError, WriteError
from nasdqn_fast.events import Played
from nasdqn_fast.run import log
from nasdqn_fast.run.api import resume, train

SMALL = {
    "method": "random-nas",
    "env": "cartpole",
    "episodes": 60,
    "switch_every": 5,
    "architectures": ["1x4-relu", "5,3-tanh"],
    "warm_up": 10,
    "batch_size": 4,
    "replay_capacity": 30,
    "max_episode_steps": 20,
    "checkpoint_every": "7",
}
FORK = multiprocessing.get_context("fork")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run left alone."""
    out = tmp_path_factory.mktemp("whole")
    train(**SMALL, out=out)
    return out


def files(run):
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def leave(out):
    """Trains 40 episodes and is interrupted: exactly two checkpoints."""
    with pytest.raises(KeyboardInterrupt):
        train(**SMALL, out=out, progress=interrupting_at(40, Played))


def in_a_child(prepare, *arguments):
    """Runs the command in a process that first calls `prepare`: exit code, and what it wrote to stderr."""
    reading, writing = os.pipe()  # no file, whose size may be limited

    def child():
        sys.stdout, sys.stderr = open(os.devnull, "w"), open(writing, "w")  # noqa: SIM115
        warnings.simplefilter("default")
        prepare()
        code = main(list(map(str, arguments)))
        sys.stderr.flush()
        os._exit(code)

    process = FORK.Process(target=child)
    process.start()
    os.close(writing)
    process.join(60)
    with open(reading) as errors:
        return process.exitcode, errors.read()


def disk_of(size):
    """Files end at `size` bytes: a write beyond fails with EFBIG, as it does with ENOSPC on a full disk."""

    def prepare():
        assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN  # as Python does; it would end the process
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return prepare


# In bytes. The config has 1,500, the logs come to 4,000, the network has 2,870, a checkpoint 14,600.
@pytest.mark.quick_only(size={500, 2_000})
@pytest.mark.quick_only(size=8_000, cadence="7")
@pytest.mark.parametrize(
    ("size", "cadence", "hit"),
    [
        (0, "7", "config"),
        (500, "7", "config"),
        (2_000, "7", "a log"),
        (2_500, "never", "a log"),
        (8_000, "7", "a checkpoint"),
        (8_000, "1", "the first checkpoint"),
    ],
)
def test_a_full_disk_is_one_line_and_the_run_can_go_on(tmp_path, whole, size, cadence, hit):
    """Oracle: the run left alone."""
    out = tmp_path / "run"
    command = ("train", "--config", whole / "config.toml", "--checkpoint-every", cadence, "--out", out)
    if hit == "config":
        code, errors = in_a_child(disk_of(size), *command)
        assert (code, errors) == (
            2,
            f"nasdqn-fast: the output directory {str(out)!r} cannot be written: File too large\n",
        )
        assert not list(out.iterdir())
        assert in_a_child(bool, *command) == (0, "")
    else:
        code, errors = in_a_child(disk_of(size), *command)
        told = f"the run in {out} cannot be written: File too large; when there is room again: nasdqn-fast resume {out}"
        assert (code, errors) == (1, f"nasdqn-fast: {told}\n")
        assert not list(out.rglob(".*")), "something half written was left"
        assert in_a_child(bool, "resume", out)[0] == 0
    if cadence == SMALL["checkpoint_every"]:
        assert contents(out) == contents(whole)


def test_checkpoints_outlive_a_disk_that_fills_up(tmp_path, whole):
    out = tmp_path / "run"
    leave(out)
    before = files(out / "checkpoints")
    assert len(before) == 2
    for size in (0, 2_500, 8_000):
        code, errors = in_a_child(disk_of(size), "resume", out)
        assert code == 1
        assert errors.count("\n") == 1
        assert files(out / "checkpoints") == before
    resume(out)
    assert contents(out) == contents(whole)


def test_a_summary_that_finds_no_room_ends_no_run(tmp_path, whole, monkeypatch):
    """The checkpoint before the last goes only when the summary is on the disk."""

    def full(*where, **how):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(log, "replacing", full)
        with pytest.raises(WriteError, match="No space left on device; when there is room again: nasdqn-fast resume"):
            train(**SMALL, out=tmp_path)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2
    resume(tmp_path)
    assert contents(tmp_path) == contents(whole)


def test_of_two_errors_the_first_is_told(tmp_path, monkeypatch):
    """A run that diverges on a disk that is full."""

    def full(*where, **how):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log, "replacing", full)
    diverging = SMALL | {"learning_rate": 1e30, "gradient_clip": 1e30}
    with pytest.raises(NonFiniteError, match="lower learning_rate"):
        train(**diverging, out=tmp_path)


@pytest.fixture
def place(tmp_path):
    """A folder whose permissions a test may change."""
    yield tmp_path
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o755)


def read_only(folder):
    """Nobody may write there any more, not even root."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555)
    return obey_permissions


def obey_permissions():
    """Takes from this process what lets root write everywhere. Another user might not even read the package."""
    if os.geteuid() != 0:
        return
    if sys.platform != "linux":
        os.setuid(65534)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; and the same of capabilities from 32 on
    assert libc.capget(header, sets) == 0, os.strerror(ctypes.get_errno())
    for i in (0, 1):
        sets[i] &= ~0b1110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
    assert libc.capset(header, sets) == 0, os.strerror(ctypes.get_errno())


def test_a_directory_that_cannot_be_written_is_refused(place):
    code, errors = in_a_child(read_only(place), "train", "--env", "cartpole", "--out", place / "run")
    assert (code, errors.count("\n")) == (2, 1), errors
    assert f"the output directory {str(place / 'run')!r} cannot be written: {str(place)!r} does not let it" in errors
    assert not list(place.iterdir())


def test_a_run_that_cannot_be_written_is_not_resumed_and_not_touched(place, whole):
    run = place / "run"
    leave(run)
    before = files(run)
    for _ in range(2):
        code, errors = in_a_child(read_only(run), "resume", run)
        assert (code, errors.count("\n")) == (2, 1), errors
        assert f"cannot go on writing {str(run / 'episodes.csv')!r}: Permission denied" in errors
        assert files(run) == before
    for path in (run, *run.rglob("*")):
        path.chmod(0o755)
    resume(run)
    assert contents(run) == contents(whole)


def test_below_a_file_there_is_no_directory(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"the output directory .* cannot be written"):
        train(**SMALL, out=tmp_path / "file" / "run")
