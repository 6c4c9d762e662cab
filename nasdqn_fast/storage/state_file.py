"""States, nested mappings of plain JSON values and arrays, as files: an npz archive without pickle.

One member, ``state``, is the JSON as bytes; where an array stood it has ``{"__array__": NAME}``, and the
array is the member of that name. Floats come back to the same bits, tuples as lists.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.storage import npz
from nasdqn_fast.storage.atomic import replacing

_STATE, _ARRAY = "state", "__array__"


def save(path: Path, state: dict[str, Any]) -> None:
    """Writes the state; the file is whole and on the disk, or absent.

    Raises:
        TypeError: something in it is neither JSON nor an array.
        OSError: it cannot be written.
    """
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_encoded(state, arrays))
    with replacing(path, durable=True) as file:
        npz.write(file, {_STATE: np.frombuffer(text.encode(), np.uint8)} | arrays)


def check_storable(state: Any) -> None:
    """Refuses what `save` could not write.

    Raises:
        TypeError: something in it is neither JSON nor an array.
    """
    _encoded(state, {})


def _encoded(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value as JSON has it, with names for arrays, which are put into `arrays`."""
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):  # JSON would make a string of it
                raise TypeError(f"a state's keys are strings; got {type(key).__name__} {key!r}")
        return {key: _encoded(item, arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        name = f"array_{len(arrays)}"
        arrays[name] = npz.storable(value)
        return {_ARRAY: name}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a state holds JSON values and arrays; got {type(value).__name__} {value!r}")


def load(path: Path) -> dict[str, Any]:
    """Reads a state.

    Returns:
        the state; its arrays are read-only.

    Raises:
        ValueError: the file is damaged, truncated or something else.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        arrays = npz.read(file)

    def array(value: dict[str, Any]) -> Any:
        return arrays[str(value[_ARRAY])] if value.keys() == {_ARRAY} else value

    try:
        state = json.loads(arrays[_STATE].tobytes(), object_hook=array)
    except (KeyError, RecursionError) as error:
        raise ValueError(f"it lacks {error}" if isinstance(error, KeyError) else "it is nested too deep") from error
    if not isinstance(state, dict):
        raise ValueError("it holds no state")
    return state
