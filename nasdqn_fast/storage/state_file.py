"""States, nested mappings of plain JSON values and arrays, as files: an npz archive without pickle, and its digest.

One member, ``state``, is the JSON as bytes; where an array stood it has ``{"__array__": NAME}``, and the
array is the member of that name. Floats come back to the same bits, tuples as lists. After the archive, where
`numpy.load` ignores it, comes ``sha256:`` and the digest of all before: nothing is parsed before it is verified.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.errors import DamageError
from nasdqn_fast.storage import npz
from nasdqn_fast.storage.atomic import replacing

_STATE, _ARRAY = "state", "__array__"
_KINDS = "biufU"  # of numpy.dtype.kind
_MARK = b"sha256:"
_TRAILER = len(_MARK) + 64  # bytes
_ARCHIVE_END = b"PK\5\6" + bytes(4)  # how the last 22 bytes of an archive of one file begin


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
        file.seek(0)
        file.write(_MARK + hashlib.file_digest(file, "sha256").hexdigest().encode())


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
        if value.dtype.kind not in _KINDS or not value.dtype.isnative:
            raise TypeError(f"an array of {value.dtype} cannot be stored; numbers, booleans and text can")
        name = f"array_{len(arrays)}"
        arrays[name] = value
        return {_ARRAY: name}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a state holds JSON values and arrays; got {type(value).__name__} {value!r}")


def load(path: Path) -> dict[str, Any]:
    """Reads a state.

    Raises:
        DamageError: the file is damaged, truncated or something else.
        OSError: it cannot be read.
    """
    arrays = npz.read(_verified(path.read_bytes()))

    def array(value: dict[str, Any]) -> Any:
        return arrays[str(value[_ARRAY])] if value.keys() == {_ARRAY} else value

    try:
        state = json.loads(arrays[_STATE].tobytes(), object_hook=array)
    except KeyError as error:
        raise DamageError(f"it lacks {error}") from error
    except (ValueError, RecursionError) as error:
        raise DamageError(f"it holds no JSON: {error}") from error
    if not isinstance(state, dict):
        raise DamageError("it holds no state")
    return state


def _verified(content: bytes) -> bytes:
    """The archive in the file.

    Checkpoints of format 1 have no digest, and end as archives do: the CRC-32 of each array then is all there is.
    """
    archive, mark, digest = content[:-_TRAILER], content[-_TRAILER:-64], content[-64:]
    if mark == _MARK:
        if hashlib.sha256(archive).hexdigest().encode() != digest:
            raise DamageError("its digest is that of other bytes")
        return archive
    if not content[-22:].startswith(_ARCHIVE_END):
        raise DamageError("it ends neither with a digest nor as an archive does")
    return content
