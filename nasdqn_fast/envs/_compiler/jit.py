"""Copies of an author's plain functions: as they are at this moment, and as Numba has to see them."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Set
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from nasdqn_fast.envs._compiler.reach import (
    cell_contents,
    is_dispatcher,
    is_own_function,
    is_own_module,
    names,
    referenced_globals,
)
from nasdqn_fast.errors import InputError

# error_model: division by zero gives an infinity, and no test for it stops vectorisation. forceinline: a call that LLVM
# finds too large to inline would stop it, too.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "forceinline": True}


def snapshot(functions: Iterable[Callable[..., Any]]) -> list[Any]:
    """Copies of the functions and of all own functions and arrays that they reach; later changes do not reach these.

    What is compiled later (`lockstep`) is then the same code as what was compiled first. A function that carries
    Numba's ``@njit`` gets a dispatcher of its own: the author's has the globals of its first compilation inside.
    """
    copies = _Copies(lambda copy: copy, dispatchers=True, circles=True)
    return [copies.of(function) for function in functions]


def jitted(functions: Iterable[Callable[..., Any]]) -> list[Any]:
    """Numba dispatchers of copies of the functions, whose own functions are dispatchers as well: one for each.

    Raises:
        InputError: a function that calls itself.
    """
    import numba

    copies = _Copies(numba.njit(**OPTIONS), dispatchers=False, circles=False)
    return [copies.of(function) for function in functions]


class _Copies:
    """Copies of functions that refer to copies.

    Args:
        make: makes of a copy what is to stand for it.
        dispatchers: whether functions that carry ``@njit`` are copied, too.
        circles: whether a function may call itself.
    """

    def __init__(self, make: Callable[[FunctionType], Any], *, dispatchers: bool, circles: bool) -> None:
        self._make, self._dispatchers, self._circles = make, dispatchers, circles
        self._made: dict[object, Any] = {}
        self._begun: set[object] = set()

    def of(self, value: Any, wanted: Set[str] = frozenset()) -> Any:
        """The value with copies in place of own functions, modules of the user's and arrays; all else unchanged.

        Args:
            value: a function, or anything that a function refers to.
            wanted: names looked up where the value was found; of a module, only these matter.
        """
        if is_own_module(value):
            copy = ModuleType(value.__name__)
            vars(copy).update({n: self.of(v, wanted) for n, v in vars(value).items() if n in wanted})
            return copy
        if isinstance(value, np.ndarray):
            return value.copy(order="K")
        if type(value) is tuple:
            return tuple(self.of(item, wanted) for item in value)
        if self._dispatchers and is_dispatcher(value):
            return self._function(value, value.py_func, _same_dispatcher(value))
        if is_own_function(value):
            return self._function(value, value, self._make)
        return value

    def _function(self, key: object, function: FunctionType, make: Callable[[FunctionType], Any]) -> Any:
        if key in self._begun and not self._circles:
            # Numba compiles these, but loading such code from disk and running it crashes the process (seen with 0.68).
            raise InputError(f"{function.__qualname__} calls itself, directly or through others; write a loop instead")
        if key in self._made:
            return self._made[key]
        namespace = {"__name__": function.__module__, "__builtins__": builtins}
        cells = tuple(CellType() for _ in function.__closure__ or ())
        copy = FunctionType(function.__code__, namespace, function.__name__, None, cells)
        self._begun.add(key)
        wanted = names(function.__code__)
        copy.__qualname__ = function.__qualname__
        copy.__defaults__ = self.of(function.__defaults__, wanted)
        copy.__kwdefaults__ = {k: self.of(v, wanted) for k, v in (function.__kwdefaults__ or {}).items()} or None
        made = self._made[key] = make(copy)  # Numba looks at the defaults now, and at the rest when it compiles
        namespace.update({name: self.of(value, wanted) for name, value in referenced_globals(function).items()})
        for cell, content in zip(cells, cell_contents(function), strict=True):
            if not isinstance(content, CellType):
                cell.cell_contents = self.of(content, wanted)
        self._begun.remove(key)
        return made


def _same_dispatcher(dispatcher: Any) -> Callable[[FunctionType], Any]:
    import numba

    return numba.njit(**{name: value for name, value in dispatcher.targetoptions.items() if name != "nopython"})
