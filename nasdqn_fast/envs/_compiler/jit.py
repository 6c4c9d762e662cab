"""An author's plain functions as Numba has to see them: no marker on them, and they stay as they are."""

from __future__ import annotations

import builtins
from collections.abc import Set
from types import CellType, FunctionType, ModuleType
from typing import Any

from nasdqn_fast.envs._compiler.reach import is_own_function, is_own_module, names, referenced_globals
from nasdqn_fast.errors import InputError

# error_model: division by zero gives an infinity, and no test for it stops vectorisation. forceinline: a call that LLVM
# finds too large to inline would stop it, too.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "forceinline": True}


def jitted(value: Any, done: dict[FunctionType, Any], wanted: Set[str] = frozenset()) -> Any:
    """The value with own functions replaced by Numba dispatchers, and all else unchanged.

    Args:
        value: a function, or anything that a function refers to.
        done: the dispatchers made so far, one a function; None where one is being made.
        wanted: names looked up where the value was found; of a module, only these matter.

    Raises:
        InputError: a function that calls itself.
    """
    if is_own_module(value):
        copy = ModuleType(value.__name__)
        vars(copy).update({n: jitted(v, done, wanted) for n, v in vars(value).items() if n in wanted})
        return copy
    if not is_own_function(value):
        return value
    if value not in done:
        done[value] = None  # begun
        done[value] = _jit(value, done)
    if done[value] is None:
        # Numba compiles these, but loading such code from disk and running it crashes the process (seen with 0.68).
        raise InputError(f"{value.__qualname__} calls itself, directly or through others; write a loop instead")
    return done[value]


def _jit(function: FunctionType, done: dict[FunctionType, Any]) -> Any:
    import numba

    wanted = names(function.__code__)
    namespace = {"__name__": function.__module__, "__builtins__": builtins}
    for name, value in referenced_globals(function).items():
        namespace[name] = jitted(value, done, wanted)
    cells = tuple(CellType(jitted(cell.cell_contents, done, wanted)) for cell in function.__closure__ or ())
    copy = FunctionType(function.__code__, namespace, function.__name__, function.__defaults__, cells)
    return numba.njit(**OPTIONS)(copy)
