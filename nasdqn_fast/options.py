"""Options: fields of a frozen dataclass that know their help, the source of their default, and what they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from nasdqn_fast.errors import InputError, suggest


def option(
    default: Any,
    help: str,
    source: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[str] | None = None,
) -> Any:
    """A dataclass field that is an option.

    Args:
        default: the default value.
        help: what the option is, in half a line.
        source: where the default comes from, e.g. ``paper 2.3.2`` or ``not given in the paper``.
        minimum, maximum: bounds of a number, both allowed themselves.
        choices: the valid names.
    """
    about = {"help": help, "source": source, "minimum": minimum, "maximum": maximum, "choices": choices}
    return field(default=default, metadata={"option": about})


@dataclass(frozen=True)
class NoOptions:
    """The options of a plug-in that has none."""


def make_options(plugin: Any, given: Mapping[str, Any]) -> Any:
    """The options of a plug-in: those given, and defaults.

    Args:
        plugin: a class or function; its options are the dataclass that its attribute ``Options`` names, if there is one.
        given: name -> value.

    Raises:
        InputError: the plug-in has no option of that name.
    """
    kind = getattr(plugin, "Options", NoOptions)
    valid = [f.name for f in fields(kind)]
    for name in given:
        if name not in valid:
            raise InputError(f"unknown option {name!r}: {suggest(name, valid)}")
    return kind(**given)
