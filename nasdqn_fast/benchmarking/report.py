"""A report: the machine, the figures, what to be wary of; and its file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.errors import InputError
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.validation import check_finite, check_int, check_positive, check_text

FORMAT = 1
BUSY_SHARE = 0.25  # of disturbed repeats
MAX_VALUES = 10_000  # of a figure, evenly spaced in time; an interval of more would take gigabytes


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
    thinned = replace(report, figures=tuple(map(_thinned, report.figures)))
    text = json.dumps({"format": FORMAT} | asdict(thinned), indent=1, allow_nan=False)
    with replacing(path) as file:
        file.write(f"{text}\n".encode())


def _thinned(figure: Figure) -> Figure:
    return replace(figure, values=figure.values[:: len(figure.values) // MAX_VALUES + 1])


def load(path: Path) -> Report:
    """Reads what `save` wrote.

    Raises:
        InputError: no such file, no report, or one of another format.
    """
    try:
        record = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read the report {str(path)!r}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{str(path)!r} is not a report: it is not JSON") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise InputError(f"{str(path)!r} is not a report of format {FORMAT}; make one with bench --json")
    try:
        figures = tuple(_figure(figure) for figure in record["figures"])
        machine = {name: check_text(name, text) for name, text in dict(record["machine"]).items()}
        warnings = tuple(check_text("warning", warning) for warning in record["warnings"])
        return Report(machine, check_positive("peak", record["peak"]), figures, warnings)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the report {str(path)!r} is damaged: {type(error).__name__}: {error}") from None


def _figure(record: dict[str, Any]) -> Figure:
    figure = Figure(**record | {"unit": Unit(record["unit"]), "values": tuple(record["values"])})
    for name in ("group", "name"):
        check_text(name, getattr(figure, name))
    check_int("the number of values", len(figure.values), 0, MAX_VALUES)
    check = check_finite if figure.unit is Unit.SHARE else check_positive  # a run that never switches has a share of 0
    for number in (figure.value, figure.low, figure.high, *figure.values):
        check(f"{figure.group}: {figure.name}", number)
    for name in ("repeats", "disturbed"):
        check_int(name, getattr(figure, name), 0)
    if figure.limit is not None:
        check_positive("limit", figure.limit)
    return figure
