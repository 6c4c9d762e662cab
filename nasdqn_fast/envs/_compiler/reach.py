"""What a function's code refers to, and a fingerprint of it all: the key of the disk cache."""

from __future__ import annotations

import dis
import hashlib
import re
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType

import numpy as np

# Numba has its own versions of what these offer, and their releases are in the cache's key.
_NUMBAS_OWN = sys.stdlib_module_names | {"numpy", "numba"}


def names(code: CodeType) -> set[str]:
    """All names that the code, or code nested in it, looks up: globals and attributes."""
    return set().union(*(part.co_names for part in _with_nested(code)))


def referenced_globals(function: FunctionType) -> dict[str, object]:
    """The globals that the function uses, sorted by name; builtins left out."""
    used = {
        instruction.argval
        for code in _with_nested(function.__code__)
        for instruction in dis.get_instructions(code)
        if instruction.opname == "LOAD_GLOBAL"
    }
    return {name: function.__globals__[name] for name in sorted(used) if name in function.__globals__}


def is_own_module(value: object) -> bool:
    """A module that is somebody's own: neither the standard library's, NumPy's nor Numba's."""
    return isinstance(value, ModuleType) and _package(value.__name__) not in _NUMBAS_OWN


def is_own_function(value: object) -> bool:
    """A plain Python function of an own module: what has to be compiled along."""
    return isinstance(value, FunctionType) and _package(value.__module__) not in _NUMBAS_OWN


def fingerprint(*roots: object) -> str:
    """Hexadecimal digest of everything that the compiled code of these functions depends on.

    Code, defaults, closures and the values of the globals named, through all functions and modules
    reached. The same in every process; comments and line numbers do not count.
    """
    digest = hashlib.sha256()
    seen: dict[FunctionType, int] = {}
    for root in roots:
        for part in _describe(root, set(), seen):
            digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _package(module_name: str | None) -> str:
    return (module_name or "").partition(".")[0]


def _describe(value: object, wanted: set[str], seen: dict[FunctionType, int]) -> Iterator[str]:
    """The parts of a fingerprint.

    Args:
        value: what to describe.
        wanted: names looked up where the value was found; of a module, only these matter.
        seen: the functions described already, numbered: functions may call each other in a circle.
    """
    value = getattr(value, "py_func", value)  # a Numba dispatcher stands for the function it wraps
    if isinstance(value, FunctionType) and is_own_function(value):
        if value in seen:
            yield f"function {seen[value]}"
        else:
            seen[value] = len(seen)
            yield from _describe_function(value, seen)
    elif isinstance(value, ModuleType) and is_own_module(value):
        for name in sorted(wanted & vars(value).keys()):
            yield f"{value.__name__}.{name}"
            yield from _describe(getattr(value, name), wanted, seen)
    elif isinstance(value, tuple):
        yield f"{type(value).__qualname__} of {len(value)}"
        for item in value:
            yield from _describe(item, wanted, seen)
    elif isinstance(value, np.ndarray):
        yield f"array {value.dtype.str} {value.shape} {value.tobytes().hex()}"
    else:
        yield _text(value)
        if isinstance(value, type):  # such as an Enum, whose own text does not show its values
            yield from (f"{n}={_text(v)}" for n, v in sorted(vars(value).items()) if not n.startswith("__"))


def _with_nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_nested(constant)


def _describe_function(function: FunctionType, seen: dict[FunctionType, int]) -> Iterator[str]:
    for code in _with_nested(function.__code__):
        yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_argcount}"
        yield from (_text(constant) for constant in code.co_consts if not isinstance(constant, CodeType))
    wanted = names(function.__code__)
    cells = (cell.cell_contents for cell in function.__closure__ or ())
    for value in (*referenced_globals(function).items(), *cells, *(function.__defaults__ or ())):
        yield from _describe(value, wanted, seen)


def _text(value: object) -> str:
    """Type and value, without addresses, which are new in every process."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", f"{type(value).__qualname__} {value!r}")
