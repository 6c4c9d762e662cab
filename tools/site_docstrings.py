"""Docstrings that only the imported package has, for the API reference: an extension of Griffe.

Griffe reads source files. A class whose ``__doc__`` is assigned has its docstring at run time alone; those of compiled
classes begin with a signature, which the stubs say better.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import griffe

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
        if member.docstring:
            member.docstring.value = _without_signature(member.docstring.value, name)
        elif isinstance(member, griffe.Class) and (text := _runtime_docstring(member)):
            member.docstring = griffe.Docstring(text, parent=member)
        if name == "__init__" and member.docstring and member.docstring.value.startswith("Initialize self."):
            member.docstring = None  # object's
        if isinstance(member, griffe.Module | griffe.Class):
            _complete(member)


def _runtime_docstring(member: griffe.Class) -> str:
    try:
        module = importlib.import_module(member.module.path)
    except ImportError:  # what it adapts to is not installed
        return ""
    return inspect.cleandoc(getattr(getattr(module, member.name, None), "__doc__", None) or "")


def _without_signature(text: str, name: str) -> str:
    first, _, rest = text.partition("\n")
    return rest.strip() if f"{name}(" in first.split(" ")[0] else text
