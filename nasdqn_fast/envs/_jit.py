"""An author's plain functions as Numba has to see them: no marker on them, and they stay as they are."""

from __future__ import annotations

import builtins
from collections.abc import Set
from types import CellType, FunctionType, ModuleType
from typing import Any

from nasdqn_fast.envs._reach import is_own_function, is_own_module, names, referenced_globals


def jitted(value: Any, done: dict[FunctionType, Any], wanted: Set[str] = frozenset()) -> Any:
    """The value with own functions replaced by Numba dispatchers, and all else unchanged.

    Args:
        value: a function, or anything that a function refers to.
        done: the dispatchers made so far; a function has one, however often it is met.
        wanted: names looked up where the value was found; of a module, only these matter.
    """
    if type(value) is tuple:
        return tuple(jitted(item, done, wanted) for item in value)
    if is_own_module(value):
        copy = ModuleType(value.__name__)
        vars(copy).update({n: jitted(v, done, wanted) for n, v in vars(value).items() if n in wanted})
        return copy
    if not is_own_function(value):
        return value
    if value not in done:
        _jit(value, done)
    return done[value]


def _jit(function: FunctionType, done: dict[FunctionType, Any]) -> None:
    import numba

    namespace = {"__name__": function.__module__, "__builtins__": builtins}
    cells = tuple(CellType() for _ in function.__closure__ or ())
    copy = FunctionType(function.__code__, namespace, function.__name__, function.__defaults__, cells)
    copy.__kwdefaults__ = function.__kwdefaults__
    # Entered before its globals are looked at, which may lead back to it.
    done[function] = numba.njit(error_model="numpy")(copy)
    wanted = names(function.__code__)
    for name, value in referenced_globals(function).items():
        namespace[name] = jitted(value, done, wanted)
    for cell, original in zip(cells, function.__closure__ or (), strict=True):
        cell.cell_contents = jitted(original.cell_contents, done, wanted)
