"""A report: the machine, the figures, what to be wary of; and its file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.files import replacing
from nasdqn_fast.types import InputError

FORMAT = 1
BUSY_SHARE = 0.25  # of disturbed repeats


@dataclass(frozen=True)
class Report:
    """What one run of the benchmarks gave.

    Args:
        machine: what it ran on, name -> text.
        peak: FLOP/s of independent multiply-adds on the CPU target in use, median of the run.
        figures: in the order of the table.
        warnings: what a reader should know before believing them.
    """

    machine: dict[str, str]
    peak: float
    figures: tuple[Figure, ...]
    warnings: tuple[str, ...] = ()


def disturbed(figures: tuple[Figure, ...]) -> str | None:
    """A warning if much of what was timed met a slow spell or another process."""
    repeats, bad = sum(f.repeats for f in figures), sum(f.disturbed for f in figures)
    if bad <= BUSY_SHARE * repeats:
        return None
    return f"the machine was busy: {bad} of {repeats} repeats met a slow spell or another process"


def check_writable(path: Path) -> None:
    """Refuses a file that cannot be written, before anything is measured for it.

    Raises:
        InputError: its folder is missing or does not let it.
    """
    if path.is_dir() or not os.access(path.absolute().parent, os.W_OK | os.X_OK):
        raise InputError(f"the report {str(path)!r} cannot be written; name a file in a folder that can")


def save(path: Path, report: Report) -> None:
    """Writes the report as JSON, whole or not at all."""
    text = json.dumps({"format": FORMAT} | asdict(report), indent=1, allow_nan=False)
    with replacing(path) as file:
        file.write(f"{text}\n".encode())


def load(path: Path) -> Report:
    """Reads what `save` wrote.

    Raises:
        InputError: no such file, no report, or one of another format.
    """
    try:
        record = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read the report {str(path)!r}: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{str(path)!r} is not a report: it is not JSON") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise InputError(f"{str(path)!r} is not a report of format {FORMAT}; make one with bench --json")
    try:
        figures = tuple(_figure(figure) for figure in record["figures"])
        return Report(record["machine"], record["peak"], figures, tuple(record["warnings"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the report {str(path)!r} is damaged: {type(error).__name__}: {error}") from None


def _figure(record: dict[str, Any]) -> Figure:
    return Figure(**record | {"unit": Unit(record["unit"]), "values": tuple(record["values"])})
