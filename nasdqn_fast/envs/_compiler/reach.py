"""What a function's code refers to, and a fingerprint of it all.

The fingerprint is what an environment *is*: compiled code is looked up by it, in the process and on disk, and
checkpoints and kept optima name it.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# Numba has its own versions of what these offer, and their releases are in the cache's key.
_NUMBAS_OWN = sys.stdlib_module_names | {"numpy", "numba"}


@dataclass(frozen=True)
class Functions:
    """Functions, equal to others whose code and all that it refers to are the same: a key for what is compiled.

    Made anew for every look-up, so that a constant that has changed since is seen.
    """

    functions: tuple[Callable[..., Any], ...] = field(compare=False)
    fingerprint: str

    @classmethod
    def of(cls, *functions: Callable[..., Any]) -> Functions:
        return cls(functions, fingerprint(*functions))


# What follows from the code alone is found once: an agent's creation looks its environment up, in some 50 us so.
@functools.lru_cache(maxsize=1024)
def names(code: CodeType) -> frozenset[str]:
    """All names that the code, or code nested in it, looks up: globals and attributes."""
    return frozenset().union(*(part.co_names for part in _with_nested(code)))


@functools.lru_cache(maxsize=1024)
def _global_names(code: CodeType) -> tuple[str, ...]:
    used = {
        instruction.argval
        for part in _with_nested(code)
        for instruction in dis.get_instructions(part)
        if instruction.opname == "LOAD_GLOBAL"
    }
    return tuple(sorted(used))


@functools.lru_cache(maxsize=1024)
def _code_text(code: CodeType) -> tuple[str, ...]:
    parts: list[str] = []
    for part in _with_nested(code):
        parts.append(f"{part.co_code.hex()} {part.co_names} {part.co_varnames} {part.co_argcount}")
        parts.extend(_text(constant) for constant in part.co_consts if not isinstance(constant, CodeType))
    return tuple(parts)


def referenced_globals(function: FunctionType) -> dict[str, object]:
    """The globals that the function uses, sorted by name; builtins left out."""
    known = function.__globals__
    return {name: known[name] for name in _global_names(function.__code__) if name in known}


def cell_contents(function: FunctionType) -> list[object]:
    """What the function refers to of the functions around it; an empty cell stands for a name not bound yet."""
    contents = []
    for cell in function.__closure__ or ():
        try:
            contents.append(cell.cell_contents)
        except ValueError:
            contents.append(cell)
    return contents


def is_own_module(value: object) -> bool:
    """A module of the user's: neither the standard library's, NumPy's nor Numba's."""
    return isinstance(value, ModuleType) and _package(value.__name__) not in _NUMBAS_OWN


def is_own_function(value: object) -> bool:
    """A plain Python function of an own module: what has to be compiled along."""
    return isinstance(value, FunctionType) and _package(value.__module__) not in _NUMBAS_OWN


def is_dispatcher(value: object) -> bool:
    """A function of the user's that carries Numba's own ``@njit``."""
    return is_own_function(getattr(value, "py_func", None)) and hasattr(value, "targetoptions")


def fingerprint(*roots: object) -> str:
    """Hexadecimal digest of everything that the compiled code of these functions depends on.

    Code, defaults, closures and the values of the globals named, through all functions and modules
    reached. The same in every process; comments and line numbers do not count.
    """
    parts: list[str] = []
    seen: dict[FunctionType, int] = {}
    for root in roots:
        _describe(root, frozenset(), seen, parts)
    return hashlib.sha256("".join(f"{part}\0" for part in parts).encode()).hexdigest()


def _package(module_name: str | None) -> str:
    return (module_name or "").partition(".")[0]


def _describe(value: object, wanted: Set[str], seen: dict[FunctionType, int], parts: list[str]) -> None:
    """Appends the parts of a fingerprint.

    Args:
        value: what to describe.
        wanted: names looked up where the value was found; of a module, only these matter.
        seen: the functions described already, numbered: functions may call each other in a circle.
        parts: where to append.
    """
    if type(value) in (float, int, str):
        parts.append(_text(value))
        return
    if not isinstance(value, ModuleType):
        value = getattr(value, "_dispatcher", value)  # of a function made by numba.vectorize
        if hasattr(value, "targetoptions"):  # a Numba dispatcher stands for the function it wraps, with its options
            parts.append(f"options {sorted(value.targetoptions.items())}")
        value = getattr(value, "py_func", value)
    if isinstance(value, FunctionType) and is_own_function(value):
        if value in seen:
            parts.append(f"function {seen[value]}")
        else:
            seen[value] = len(seen)
            _describe_function(value, seen, parts)
    elif isinstance(value, ModuleType):
        if not is_own_module(value):
            parts.append(_module_text(value))
            return
        for name in sorted(wanted & vars(value).keys()):
            parts.append(f"{value.__name__}.{name}")
            _describe(getattr(value, name), wanted, seen, parts)
    elif isinstance(value, tuple):
        parts.append(f"{type(value).__qualname__} of {len(value)}")
        parts.extend(getattr(value, "_fields", ()))  # of a named tuple
        for item in value:
            _describe(item, wanted, seen, parts)
    elif isinstance(value, np.ndarray):
        parts.append(f"array {value.dtype.str} {value.shape} {value.tobytes().hex()}")
        if value.dtype.names:
            parts.append(f"fields {value.dtype.descr}")
    else:
        parts.append(_text(value))
        if isinstance(value, type):  # such as an Enum, whose own text does not show its values
            parts.extend(f"{n}={_text(v)}" for n, v in sorted(vars(value).items()) if not n.startswith("__"))


def _with_nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_nested(constant)


def _describe_function(function: FunctionType, seen: dict[FunctionType, int], parts: list[str]) -> None:
    parts.extend(_code_text(function.__code__))
    wanted = names(function.__code__)
    for name, value in (*referenced_globals(function).items(), *(function.__kwdefaults__ or {}).items()):
        parts += ("tuple of 2", f"str {name!r}")
        _describe(value, wanted, seen, parts)
    for value in (*cell_contents(function), *(function.__defaults__ or ())):
        _describe(value, wanted, seen, parts)


def _text(value: object) -> str:
    """Type and value, without addresses, which are new in every process."""
    text = f"{type(value).__qualname__} {value!r}"
    return _ADDRESS.sub("", text) if " at 0x" in text else text


_module_text = functools.lru_cache(maxsize=64)(_text)  # importlib takes 0.1 ms to write what a module is
