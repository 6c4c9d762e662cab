"""A run directory: its files, and who may write there. docs/run_directory.md describes the files."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shlex
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nasdqn_fast.config import Config, resolve, to_toml
from nasdqn_fast.errors import InputError
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.storage.atomic import is_leftover, remove_leftovers, replacing
from nasdqn_fast.validation import check_path

CONFIG, EPISODES, ARCHITECTURES, EVALUATIONS = "config.toml", "episodes.csv", "architectures.jsonl", "evaluations.csv"
NETWORK, BEST_NETWORK = "network.safetensors", "best_network.safetensors"
EARLIER_NAMES = {NETWORK: "network.npz", BEST_NETWORK: "best_network.npz"}  # which earlier versions wrote
NETWORKS = (*EARLIER_NAMES, *EARLIER_NAMES.values())
SUMMARY, CHECKPOINTS = "summary.json", "checkpoints"
FINISHED = "finished"  # the status in the summary of a run that came to its end


class InUse(InputError):
    """Another process is using a run directory."""


class Occupied(InputError):
    """A directory for a new run holds something already."""


def check_free(out: Path) -> None:
    """Refuse a directory that cannot be written, or is not empty.

    Raises:
        Occupied: it is not empty.
        InputError: it is a file, or not writable.
    """
    try:
        if out.is_file():
            raise InputError(f"the output directory {str(out)!r} is a file; choose another")
        if out.exists() and not all(map(is_leftover, out.iterdir())):
            raise Occupied(f"the output directory {str(out)!r} exists and is not empty; choose another")
        there = next(path for path in (out, *out.absolute().parents) if path.exists())
    except OSError as error:
        raise unwritable(out, error) from None
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"the output directory {str(out)!r} cannot be written: {str(there)!r} does not let it")


@contextlib.contextmanager
def numbered(first: Path) -> Iterator[Path]:
    """Make the first of `first`, `first`-2, `first`-3, ... that does not exist yet.

    Making the directory decides who gets it, so that equal commands given at once get one each. If the block raises
    before anything was written, the directory is removed again, and so are the parents that were made for it.

    Raises:
        InputError: it cannot be made.
    """
    out, n = first, 1
    missing = [path for path in first.parents if not path.exists()]  # nearest first
    while True:
        try:
            out.mkdir(parents=True)
            break
        except FileExistsError:
            n += 1
            out = first.with_name(f"{first.name}-{n}")
        except OSError as error:
            raise unwritable(out, error) from None
    try:
        yield out
    except BaseException:
        with contextlib.suppress(OSError):  # which is raised where something is in it
            for path in (out, *missing):
                path.rmdir()
        raise


@contextlib.contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Makes a directory for a new run, which no other process may use during the block.

    Raises:
        InputError: as `check_free` and `locked`.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(out, error) from None
    with locked(out):
        check_free(out)  # once more: another process may have begun a run there since
        remove_leftovers(out)
        yield


@contextlib.contextmanager
def locked(run: Path) -> Iterator[None]:
    """Lock a run directory against other processes; the lock ends with the process, however that ends.

    Raises:
        InUse: another process is using it.
        InputError: it cannot be opened.
    """
    try:
        descriptor = os.open(run, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"the run directory {str(run)!r} cannot be opened: {error.strerror}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise InUse(
                    f"the run directory {str(run)!r} is in use by another process; wait for it, or end it first"
                ) from None
            warnings.warn(
                f"the run directory {str(run)!r} cannot be locked ({error.strerror}); "
                "see to it that no other process uses it",
                stacklevel=2,
            )
        yield
    finally:
        os.close(descriptor)


def read_config(run: Path, options: Mapping[str, Any] | None = None) -> Config:
    """The config of a run.

    Args:
        run: its directory.
        options: settings to override, by keyword.

    Raises:
        InputError: this is no run directory, or the config in it is damaged.
    """
    run = check_path("run", run)
    if not (run / CONFIG).is_file():
        raise InputError(f"{str(run)!r} is not a run directory: it holds no {CONFIG}")
    return resolve(run / CONFIG, options)


def write_config(run: Path, config: Config) -> None:
    """Write the config of a run, which replaces one that is there.

    Args:
        run: its directory.
        config: every setting, as `nasdqn_fast.config.named` returns it.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(run / CONFIG, durable=True) as file:
        file.write(to_toml(config).encode())


def find_network(run: Path, name: str = NETWORK) -> Path | None:
    """The file of a network, which may have its earlier name; None if there is none.

    Args:
        run: its directory.
        name: `NETWORK` or `BEST_NETWORK`.
    """
    return next((path for path in (run / name, run / EARLIER_NAMES[name]) if path.exists()), None)


def is_finished(run: Path, config: Config, *, continued: bool = False) -> bool:
    """Whether the run came to its end.

    Args:
        run: its directory.
        config: the config in it.
        continued: it is to be continued, to a number of episodes that is given elsewhere.

    Raises:
        InputError: the summary is damaged, or the config now asks for another number of episodes. To take either for
            an unfinished run could cost a finished one.
    """
    try:
        summary = json.loads((run / SUMMARY).read_bytes())
        finished, episodes = summary["status"] == FINISHED, summary["episodes"]
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InputError(f"cannot read {str(run / SUMMARY)!r}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError(
            f"{str(run / SUMMARY)!r} is damaged; if the run had not finished, delete it and resume again"
        ) from None
    if finished and not continued and config.agent.steps is None and episodes != config.run.episodes:
        raise InputError(
            f"the run in {str(run)!r} finished after {episodes} episodes, and its {CONFIG} was changed to "
            f"{config.run.episodes} since; set episodes = {episodes} again; resume {shlex.quote(str(run))} "
            "--episodes N continues it"
        )
    return finished


def check_unfinished(run: Path) -> None:
    """Refuse to start a run over where that could delete a finished one, or files of the user.

    Raises:
        InputError: the files are not those of a run that was left before its first checkpoint.
    """
    if (run / SUMMARY).exists():  # `is_finished` has looked at it
        return
    foreign: list[str] = []
    ours: list[str] = []
    for name, beginning in (
        (EPISODES, b"episode,return,length,"),
        (ARCHITECTURES, b'{"event": "ask", "segment": 1,'),
        (EVALUATIONS, b"episode,return,std,"),
    ):
        if (run / name).exists():
            with (run / name).open("rb") as file:
                (ours if beginning.startswith(file.read(len(beginning))) else foreign).append(name)
    # A run writes them between the logs and the summary, and may end there.
    if not {EPISODES, ARCHITECTURES} <= set(ours):
        foreign += [name for name in NETWORKS if (run / name).exists()]
    if foreign:
        raise InputError(
            f"{str(run)!r} has no checkpoint, and a run that was left before its first one leaves no such "
            f"{' and '.join(foreign)}; nothing was touched. train --config {run / CONFIG} --out DIR repeats the run"
        )


def clean(run: Path) -> None:
    """Remove the files that killed processes left beside the run's files."""
    remove_leftovers(run)
    Checkpoints(run / CHECKPOINTS).clean()


def clear(run: Path) -> None:
    """Remove all that a run has written, except its config."""
    # The summary last: as long as it is there, the rest is ours.
    for name in (*NETWORKS, EPISODES, ARCHITECTURES, EVALUATIONS, SUMMARY):
        (run / name).unlink(missing_ok=True)


def forget_end(run: Path) -> None:
    """Remove the networks and the summary that an interrupted run had written."""
    for name in (*NETWORKS, SUMMARY):
        (run / name).unlink(missing_ok=True)


def write_texts(out: Path, texts: Mapping[str, str]) -> None:
    """Writes files of a directory, each whole or not at all; the directory is made if it is missing.

    Args:
        out: the directory.
        texts: name -> content.

    Raises:
        InputError: it cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with replacing(out / name) as file:
                file.write(text.encode())
    except OSError as error:
        raise unwritable(out, error) from None


def unwritable(out: Path, error: OSError) -> InputError:
    """The error for a directory that cannot be written."""
    return InputError(f"the output directory {str(out)!r} cannot be written: {error.strerror}")
