"""Mistakes of an author that show in a function's bytecode, found before Numba says something else about them."""

from __future__ import annotations

import dis
from collections.abc import Collection, Iterator
from typing import Any


def rebound(function: Any, arguments: Collection[str]) -> Iterator[tuple[str, int]]:
    """Where the function assigns to one of these arguments, which changes no array: name and line.

    ``reward += 1.0`` is no such assignment, because it changes an array in place.
    """
    before = None
    for instruction in _instructions(function):
        in_place = before is not None and before.opname == "BINARY_OP" and before.argrepr.endswith("=")
        if not in_place:
            line = instruction.positions.lineno if instruction.positions else None
            yield from ((name, line or 0) for name in _stored(instruction) if name in arguments)
        before = instruction


def returned(function: Any) -> Iterator[object]:
    """What the function is seen to return: constants, and `tuple` for a tuple; nothing of what is computed."""
    before = None
    for instruction in _instructions(function):
        if instruction.opname == "RETURN_CONST":  # Python 3.12 and 3.13
            yield instruction.argval
        elif instruction.opname == "RETURN_VALUE" and before is not None:
            if before.opname == "BUILD_TUPLE":
                yield tuple
            elif before.opname == "LOAD_CONST":
                yield before.argval
        before = instruction


def _instructions(function: Any) -> Iterator[dis.Instruction]:
    """None of a callable without bytecode."""
    code = getattr(getattr(function, "py_func", function), "__code__", None)
    return dis.get_instructions(code) if code is not None else iter(())


def _stored(instruction: dis.Instruction) -> tuple[str, ...]:
    """The local names that the instruction binds."""
    if instruction.opname == "STORE_FAST_LOAD_FAST":  # Python 3.13 joins neighbours
        return instruction.argval[:1]
    if instruction.opname == "STORE_FAST_STORE_FAST":
        return instruction.argval
    return (instruction.argval,) if instruction.opname.startswith(("STORE_FAST", "STORE_DEREF")) else ()
