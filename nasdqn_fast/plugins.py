"""Plug-ins: one file each, found by its name in the folder of its kind.

Nothing registers itself: a file's being there is its registration, and its module-level ``plugin``
is what it offers. Third parties are reached as ``module:attribute``, and `address` is the way back: the name of an
object. Only the file that is asked for gets imported.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasdqn_fast.errors import InputError, UnknownName
from nasdqn_fast.options import make_options
from nasdqn_fast.options import option as option
from nasdqn_fast.validation import described

_parsing = threading.Lock()  # Python 3.11's ast.parse raises SystemError where two threads are in it
# Kind -> folder of the package.
KINDS = {
    "environments": "envs",
    "controllers": "controllers",
    "transfers": "transfers",
    "estimators": "estimators",
    "trial-estimators": "trial_estimators",
}
# What the plug-ins of a folder share; like names that begin with "_", not plug-ins themselves.
_SHARED = ("base", "kernel", "trigonometry")


def names(kind: str) -> list[str]:
    """The built-in plug-ins of a kind, sorted; ``nas_dqn.py`` reads ``nas-dqn``. Imports none.

    Args:
        kind: a key of `KINDS`.
    """
    return list(_files(kind))


def describe(kind: str) -> dict[str, str]:
    """Name -> first line of the file's docstring, read without importing it.

    Args:
        kind: a key of `KINDS`.
    """
    return {name: _first_line(path) for name, path in _files(kind).items()}


def docstring(kind: str, name: str) -> str:
    """The docstring of a built-in's file, and of a third party's object, or its module's if it has none.

    Raises:
        InputError: as `find`.
    """
    if name in _files(kind):
        return _docstring(_files(kind)[name])
    plugin = find(kind, name)
    return inspect.cleandoc(plugin.__doc__ or getattr(sys.modules.get(plugin.__module__), "__doc__", None) or "")


def find(kind: str, name: str) -> object:
    """The plug-in of that name.

    Args:
        kind: a key of `KINDS`.
        name: a built-in's name, or ``module:attribute`` of any importable module.

    Raises:
        TypeError: the name is not a string.
        InputError: unknown name, or a third party's module that cannot be imported.
        Exception: whatever the code of a third party's module raises.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of one of the {kind} must be a string, got {type(name).__name__}")
    if ":" in name:
        return _third_party(kind, name)
    files = _files(kind)
    if name not in files:
        raise UnknownName(_one(kind), name, files, more=", or module:attribute of your own")
    return importlib.import_module(f"nasdqn_fast.{KINDS[kind]}.{files[name].stem}").plugin


def name_of(plugin: Any) -> str:
    """``module:attribute`` of a class, a function or an instance of a class, for messages."""
    return f"{plugin.__module__}:{getattr(plugin, '__qualname__', type(plugin).__qualname__)}"


@dataclass(frozen=True)
class Function:
    """A transfer or an estimator, which is a function of one object, ready to be called.

    Args:
        name: for messages.
        call: the function.
        options: what it is to find as ``options`` in its argument.
    """

    name: str
    call: Callable[[Any], Any]
    options: Any


def function(kind: str, plugin: Any, argument: str, given: Mapping[str, Any] | None = None) -> Function:
    """A plug-in that is a function of one object.

    Args:
        kind: a key of `KINDS`.
        plugin: a name, as for `find`; or the object itself: a function, or a class whose objects are functions, of
            which one is made without arguments. Its attribute ``Options``, if any, is the class of its options.
        argument: what the function takes, for the message.
        given: options by name; those not given have their defaults.

    Raises:
        InputError: unknown name or option, or not such a function.
    """
    found: Any = find(kind, plugin) if isinstance(plugin, str) else plugin
    name = plugin if isinstance(plugin, str) else name_of(plugin) if callable(plugin) else described(plugin)
    expected = (
        f"{_one(kind)} {name!r} must be a function of one argument, the {argument}, "
        f"or a class of such functions that is made without arguments (docs/{KINDS[kind]}.md)"
    )
    call = found
    if isinstance(found, type):
        if not _takes(found, 0):
            raise InputError(f"{expected}; got a class that is made with {_parameters(found)}")
        call = found()
    if not callable(call):
        raise InputError(f"{expected}; got {described(found)}")
    if not _takes(call, 1):
        raise InputError(f"{expected}; got one of {_parameters(call)}")
    return Function(name, call, make_options(found, given or {}, f"{_one(kind)} {name!r}"))


def address(kind: str, plugin: Any, *modules: str) -> str:
    """The name by which `find` gives this very object.

    Args:
        kind: a key of `KINDS`.
        plugin: the object.
        *modules: names of modules to look in first; then come its own, the script's and all others.

    Raises:
        InputError: it is no attribute of any module.
    """
    own = getattr(plugin, "__module__", "")
    for name in dict.fromkeys((*modules, own, "__main__", *sys.modules)):
        attributes = getattr(sys.modules.get(name), "__dict__", {})
        preferred = (getattr(plugin, "__name__", ""), "plugin")
        for attribute in (*preferred, *attributes):
            if attributes.get(attribute) is plugin:
                return _built_in_modules(kind).get(name, f"{name}:{attribute}")
    who = name_of(plugin) if hasattr(plugin, "__qualname__") else described(plugin)
    raise InputError(
        f"the {_one(kind)} {who} is no attribute of a module, so that a run directory cannot name it; "
        "assign it to a name at the top of a module, or leave out= away"
    )


def check_takes(what: str, function: Any, arguments: Sequence[str]) -> None:
    """Checks that a user's function can be called with these arguments, before it is called.

    Args:
        what: what it is, for the message.
        function: the function.
        arguments: their names, all positional.

    Raises:
        InputError: it is no function, or one of other arguments.
    """
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        raise InputError(f"{what} must be a function of ({', '.join(arguments)}), got {function!r}") from None
    except ValueError:  # a built-in function without a signature
        return


def _takes(function: Any, arguments: int) -> bool:
    """Whether it can be called with so many arguments; a built-in function that does not tell is believed."""
    try:
        inspect.signature(function).bind(*range(arguments))
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _parameters(function: Any) -> str:
    return f"({', '.join(inspect.signature(function).parameters)})"


def _built_in_modules(kind: str) -> dict[str, str]:
    """Module -> name of the built-in plug-ins of a kind."""
    return {f"nasdqn_fast.{KINDS[kind]}.{path.stem}": name for name, path in _files(kind).items()}


@functools.cache  # to list a folder takes longer than all else of finding a plug-in
def _files(kind: str) -> dict[str, Path]:
    folder = Path(__file__).parent / KINDS[kind]
    return {
        path.stem.replace("_", "-"): path
        for path in sorted(folder.glob("*.py"))
        if path.stem not in _SHARED and not path.stem.startswith("_")
    }


def _docstring(path: Path) -> str:
    with _parsing:
        return _parsed_docstring(path)


@functools.cache
def _parsed_docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_bytes())) or ""


def _first_line(path: Path) -> str:
    return _docstring(path).partition("\n")[0]


def _third_party(kind: str, name: str) -> object:
    module_name, _, attribute = name.partition(":")
    form = "write module:attribute, as in mypackage.mymodule:plugin"
    if not module_name or not attribute:
        raise InputError(f"malformed {_one(kind)} {name!r}: {form}")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, InputError, SystemExit) as error:  # any other is a bug of the module, and has its traceback
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        hint = ""
        if isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}."):
            hint = "; install its package, or add the folder that holds it to PYTHONPATH"
        raise InputError(f"{_one(kind)} {name!r}: importing {module_name!r} failed: {reason}{hint}") from error
    if not hasattr(module, attribute):
        if module_name == "__main__":
            form = "it was defined in a script or a notebook: define it there again, and call nasdqn_fast.resume there"
        raise InputError(f"{_one(kind)} {name!r}: module {module_name!r} has no attribute {attribute!r}; {form}")
    return getattr(module, attribute)


def _one(kind: str) -> str:
    return kind.removesuffix("s").replace("-", " ")
