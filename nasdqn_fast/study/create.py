"""A study's file: made before its first trial, and only added to since."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from nasdqn_fast.config import complete, resolve
from nasdqn_fast.errors import InputError
from nasdqn_fast.run.directory import unwritable
from nasdqn_fast.storage.atomic import is_leftover, replacing
from nasdqn_fast.study.cells import differences
from nasdqn_fast.study.plan import Look, Plan
from nasdqn_fast.study.study import Study

S = TypeVar("S", bound=Study)


def look(seeds: dict[str, int]) -> Look:
    """A decision on the number of seeds that is made now."""
    return Look(datetime.now(UTC).isoformat(timespec="seconds"), seeds)


def create_or_open(folder: Path, plan: Plan, *, seeds_given: bool, kind: type[S]) -> S:
    """The study of this plan in a folder, which it may have been begun in.

    Several processes may call it at once: one writes the file, the others read it.

    Args:
        folder: made if it is missing.
        plan: with one look.
        seeds_given: False takes the number of seeds from a study that is there.
        kind: `Study`, or a subclass that keeps its plan in a file of its own.

    Raises:
        InputError: another study is there, or other files are; or it has more seeds already.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            if not (folder / kind.file).exists():
                if others := [path.name for path in folder.iterdir() if not is_leftover(path)]:
                    raise InputError(
                        f"the output directory {str(folder)!r} holds {others[0]!r} but no study; choose another"
                    )
                _write(folder / kind.file, plan)
                return kind(folder, plan)
            there = kind.open(folder)
            _check_same(there, plan)
            if seeds_given and dict(there.plan.seeds) != dict(plan.seeds):
                _check_more(there, plan)
                looks = (*there.plan.looks, *plan.looks)
                there = kind(folder, replace(there.plan, methods=plan.methods, looks=looks))
                _write(folder / kind.file, there.plan)
            return there
    except OSError as error:
        raise unwritable(folder, error) from None


def _check_same(there: Study, plan: Plan) -> None:
    then, now = (_as_read({name: each.as_json()[name] for name in there.fixed}) for each in (there.plan, plan))
    then["config"] = _completed(then["config"], now["config"])
    if different := list(differences(then, now)):
        more = f", and {len(different) - 3} more" if len(different) > 3 else ""
        raise InputError(
            f"{str(there.folder)!r} holds another study: {'; '.join(different[:3])}{more}; give the settings it has, "
            "or another directory"
        )


def _as_read(values: dict[str, Any]) -> dict[str, Any]:
    """Values as a file of JSON gives them back: what was a tuple is a list."""
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain


def _completed(config: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a study; those that there were not when it was made have the defaults that they have now."""
    defaults = complete(resolve(None, {})).as_json()
    filled = dict(config)
    for section in now.keys() & defaults.keys() & config.keys():
        new = {key: defaults[section][key] for key in now[section] if key in defaults[section]}
        filled[section] = {**new, **config[section]}
    return filled


def _check_more(there: Study, plan: Plan) -> None:
    for method, seeds in there.plan.seeds.items():
        if plan.seeds[method] < seeds:
            raise InputError(
                f"the study in {str(there.folder)!r} has {seeds} seeds of {method} planned; got {plan.seeds[method]}; "
                "their number can only be raised"
            )


def _write(path: Path, plan: Plan) -> None:
    with replacing(path, durable=True) as file:
        file.write(f"{json.dumps(plan.as_json(), indent=1, allow_nan=False)}\n".encode())


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Waits until no other process is in such a block; where a file system has no locks, it does not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
