"""Ways to damage a file, and to write one without a digest anew with other contents."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import random
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import safetensors.numpy

from nasdqn_fast.storage import npz, safetensors_file

NUMBERS = (0, -1, 1, 2, 255, 2**31, 2**32, 2**60, 2**63, 2**64, -(2**63), 10**40)
NUMBERS += (0.5, -0.5, 1e38, -1e38, 1e308, 5e-324, float("nan"), float("inf"), -float("inf"))
VALUES = (*NUMBERS, None, True, "", "1", "1024x1048576-relu", "x" * 5000, [], {}, [[]], {"__array__": "nothing"})
DTYPES = ("f4", "f8", "i8", "u1", "?", ">f8", "c16", "U3", "f2")


def cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def flip(content: bytes, rng: random.Random) -> bytes:
    flipped = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        flipped[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def splice(content: bytes, rng: random.Random) -> bytes:
    (a, b), at = sorted(rng.choices(range(len(content)), k=2)), rng.randrange(len(content))
    return content[:at] + content[a:b] + content[at + (b - a) * rng.randrange(2) :]


def drop(content: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.choices(range(len(content)), k=2))
    return content[:a] + content[b:]


def overwrite(content: bytes, rng: random.Random) -> bytes:
    at, filling = rng.randrange(len(content)), rng.choice((bytes(40), b"\xff" * 40, rng.randbytes(40), b"[" * 3000))
    return content[:at] + filling + content[at + len(filling) :]


def oversize(content: bytes, rng: random.Random) -> bytes:
    """A size in the header of a zip's or of an array's, far beyond what is there; of other files a number."""
    marks = [match.start() for match in re.finditer(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06|\x93NUMPY", content)]
    if not marks:
        return renumber(content, rng)
    at = rng.choice(marks) + rng.randrange(6, 46)
    return content[:at] + rng.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x01\0\0\x40")) + content[at + 4 :]


def renumber(content: bytes, rng: random.Random) -> bytes:
    """Another number in the place of one; in a file of text that may be the format's."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?([eE]-?\d+)?", content))
    if not found:
        return flip(content, rng)
    number = rng.choice(found)
    return content[: number.start()] + str(rng.choice(NUMBERS)).encode() + content[number.end() :]


BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    cut,
    flip,
    splice,
    drop,
    overwrite,
    oversize,
    renumber,
    lambda content, rng: b"",
    lambda content, rng: rng.randbytes(len(content)),
)


def altered(tree: Any, rng: random.Random) -> Any:
    """A copy of a nested state of which one or two places hold something else."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 2))):
        parent, key = rng.choice(list(places(tree)))
        kind = rng.randrange(8)
        if kind == 0:
            del parent[key]
        elif kind == 1:
            other, place = rng.choice(list(places(tree)))
            parent[key] = copy.deepcopy(other[place])
        elif isinstance(parent[key], np.ndarray):
            parent[key] = altered_array(parent[key], rng)
        elif isinstance(parent[key], list) and parent[key] and kind < 5:
            parent[key] = parent[key] * rng.choice((2, 1000)) if kind < 4 else parent[key][1:]
        else:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
        if not list(places(tree)):
            break
    return tree


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of the tree: the dict or list, and the key or index in it."""
    for key, value in list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)):
        yield tree, key
        if isinstance(value, (dict, list)):
            yield from places(value)


def altered_array(array: np.ndarray, rng: random.Random) -> np.ndarray:
    kind = rng.randrange(6)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # casts of complex numbers
        if kind == 0 and array.dtype.kind != "U":
            return array.astype(rng.choice(DTYPES))
        if kind == 1:
            return array.ravel()[: rng.randrange(array.size + 1)]
        if kind == 2:
            return np.concatenate([array] * rng.choice((2, 300))) if array.ndim else array[None]
        if kind == 3:
            return rng.choice((array.T, array[None], array.ravel(), np.zeros((0, *array.shape[1:]), array.dtype)))
        changed = array.copy().ravel()
        if changed.size and changed.dtype.kind in "fiub":
            some = slice(None) if kind == 4 else rng.randrange(changed.size)
            number = rng.choice(NUMBERS)
            with contextlib.suppress(OverflowError, ValueError):
                changed[some] = np.array(number).astype(changed.dtype)
        return changed.reshape(array.shape)


def altered_npz(content: bytes, rng: random.Random) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **{str(k): np.asarray(v) for k, v in altered(npz.read(content), rng).items()})
    return stream.getvalue()


def altered_safetensors(content: bytes, rng: random.Random) -> bytes:
    """Written anew, half of the time with a checksum that is right."""
    arrays, metadata = safetensors_file.decoded(content)
    tree = altered({"arrays": {name: array.copy() for name, array in arrays.items()}, "metadata": metadata}, rng)
    try:
        parts = {str(k): np.atleast_1d(np.asarray(v)) for k, v in tree["arrays"].items()}
        about = {str(k): str(v) for k, v in tree["metadata"].items()}
        if rng.random() < 0.5:
            return safetensors.numpy.save({k: np.ascontiguousarray(v) for k, v in parts.items()}, about)
        return safetensors_file.encoded(parts, about)
    except Exception:  # nothing that the format can hold
        return splice(content, rng)


def altered_json(content: bytes, rng: random.Random) -> bytes:
    return json.dumps(altered(json.loads(content), rng)).encode()


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The bytes after one of the ways above."""
    return rng.choice(BYTES)(content, rng)
