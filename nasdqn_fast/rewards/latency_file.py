"""A table of latencies as a file: a JSON object, architecture -> seconds of a forward pass of one observation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from nasdqn_fast.errors import InputError, WrongType
from nasdqn_fast.space import check_architecture
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.validation import check_path, check_positive, check_table, described


def check_latencies(name: str, value: Any) -> dict[str, float]:
    """A table of latencies, given as such or as the path of a file.

    Raises:
        TypeError, ValueError: it is neither, the file cannot be read, a key is no architecture, or a latency is not a
            finite number above 0.
    """
    if isinstance(value, (str, PathLike)):
        value = read(check_path(name, value))
    if not isinstance(value, Mapping):
        raise WrongType(name, "a table of seconds by architecture, or the path of such a JSON file", described(value))
    table = check_table(name, value, check_positive, of="seconds")
    return {check_architecture(f"a key of {name}", key): seconds for key, seconds in table.items()}


def read(path: Path) -> Any:
    """The content of a file.

    Raises:
        InputError: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read the latencies in {str(path)!r}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"the latencies in {str(path)!r} are not JSON: {error}; write an object, architecture: seconds"
        ) from None


def text_of(latencies: Mapping[str, float]) -> str:
    """The content of a file."""
    return f"{json.dumps(latencies, indent=1)}\n"


def write(path: Path, latencies: Mapping[str, float]) -> None:
    """Writes a file, which replaces one that is there.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path, durable=True) as file:
        file.write(text_of(latencies).encode())
