"""What is kept of the trials of a search: a line of JSON each, from which the search is played again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nasdqn_fast.errors import InputError
from nasdqn_fast.storage.atomic import replacing

NAME = "trials.jsonl"


class Records:
    """The finished trials of a search, in order.

    Args:
        folder: of the search.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def read(self) -> list[dict[str, Any]]:
        """All of them; none if the search has not begun.

        Raises:
            InputError: the file cannot be read, or is damaged.
        """
        try:
            return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read {str(self._path)!r}: {error}") from None

    def write(self, records: list[dict[str, Any]]) -> None:
        """Replaces the file, so that it is whole whatever ends the process; a search has few lines.

        Raises:
            OSError: it cannot be written.
        """
        with replacing(self._path, durable=True) as file:
            file.write("".join(f"{json.dumps(record, allow_nan=False)}\n" for record in records).encode())
