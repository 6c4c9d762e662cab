"""A figure of the report: its kind, what was drawn, and the files that it becomes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.report.data import TaskData
from nasdqn_fast.report.style import DPI
from nasdqn_fast.storage.atomic import replacing


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a kind of figure makes of a task.

    Attributes:
        figure: matplotlib's.
        header, rows: its data.
    """

    figure: Any
    header: Sequence[str]
    rows: Iterable[Sequence[Any]]


@dataclass(frozen=True)
class Kind:
    """One kind of figure.

    Attributes:
        name: of its files, and for `--figure`.
        title: heading.
        caption: what is seen, and how it was computed.
        draw: makes it of a task's data, or says why it does not apply.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[TaskData], Drawn | str]


def save(drawn: Drawn, folder: Path, name: str) -> bytes:
    """Writes ``NAME.png``, ``NAME.svg`` and ``NAME.csv``; returns the PNG.

    Raises:
        OSError: one cannot be written.
    """
    images = {}
    for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": None})):
        image = io.BytesIO()
        drawn.figure.savefig(image, format=kind, dpi=DPI, metadata=metadata)
        images[kind] = image.getvalue()
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(drawn.header)
    table.writerows([_cell(value) for value in row] for row in drawn.rows)
    images["csv"] = text.getvalue().encode()
    for kind, content in images.items():
        with replacing(folder / f"{name}.{kind}") as file:
            file.write(content)
    return images["png"]


def _cell(value: Any) -> Any:
    """Numbers with as many digits as a reader can use; what is not known is empty."""
    if isinstance(value, (float, np.floating)):
        return "" if math.isnan(value) else f"{value:.7g}"
    return value
