"""Docstrings that only the imported package has, for the API reference: an extension of Griffe.

Griffe reads source files and stubs. A class whose ``__doc__`` is assigned, and whatever is compiled, has its docstring
at run time alone; those of compiled functions begin with a signature, which the stubs say better.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import griffe

OPTIONS = {"warn_unknown_params": False, "warn_missing_types": False}  # as in mkdocs.yml
ROOMS = ("_core", "engine", "interop", "reference")


class RuntimeDocstrings(griffe.Extension):
    """Completes the docstrings of the rooms that are compiled, or stand on what is."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Is called by Griffe when it has read the package."""
        for room in ROOMS:
            _complete(pkg[room])


def _complete(holder: griffe.Module | griffe.Class) -> None:
    for name, member in holder.members.items():
        if member.is_alias:
            continue
        text = member.docstring.value if member.docstring else _runtime_docstring(member)
        text = _without_signature(text, name)
        if name == "__init__" and text.startswith("Initialize self."):
            text = ""  # object's
        if not text:
            member.docstring = None
        elif member.docstring:
            member.docstring.value = text
        else:
            member.docstring = griffe.Docstring(text, parent=member, parser="google", parser_options=OPTIONS)
        if isinstance(member, griffe.Module | griffe.Class):
            _complete(member)


def _runtime_docstring(member: griffe.Object) -> str:
    """The docstring of a class, or of what a class or module has compiled."""
    if isinstance(member, griffe.Module):
        return ""
    try:
        found: Any = importlib.import_module(member.module.path)
    except ImportError:  # what it adapts to is not installed
        return ""
    for name in member.path.removeprefix(member.module.path + ".").split("."):
        found = inspect.getattr_static(found, name, None)
    if not (inspect.isclass(found) or hasattr(type(found), "__get__")):
        return ""  # a value, whose type has the docstring
    return inspect.cleandoc(found.__doc__ or "")


def _without_signature(text: str, name: str) -> str:
    first, _, rest = text.partition("\n")
    return rest.strip() if f"{name}(" in first.split(" ")[0] else text
