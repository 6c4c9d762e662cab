"""Checks of settings, whoever gave them: a TOML file, the command line or a caller from Python.

They complete `nasdqn_fast.validation`: each takes a name and a value, and returns what a config holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BeforeValidator, ValidationInfo

from nasdqn_fast.space import Architecture
from nasdqn_fast.storage.cadence import Cadence
from nasdqn_fast.validation import check_choice, check_finite, described

Check = Callable[[str, Any], Any]


def in_plain_words(check: Callable[[], Any]) -> Any:
    """What the check returns; its TypeError as pydantic wants it and without the mend, which is Python's.

    Raises:
        ValueError: the check refused the value.
    """
    try:
        return check()
    except TypeError as error:
        raise ValueError(str(error).partition("; pass ")[0]) from None


def checked(check: Check) -> BeforeValidator:
    """The check as a part of a field's type; it comes before pydantic's own, so that all errors have one form."""

    def before(value: Any, info: ValidationInfo) -> Any:
        return in_plain_words(lambda: check(str(info.field_name), value))

    return BeforeValidator(before)


def one_of(*valid: str) -> BeforeValidator:
    """One of a few names."""
    return checked(lambda name, value: check_choice(name, value, valid))


def check_text(name: str, value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string; got {described(value)}")
    return str(value)


def check_plugin(name: str, value: Any) -> str:
    """The name of a plug-in: of an object alone a config could not be written down."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a name, or module:attribute of an object of yours; got {described(value)}")
    return str(value)


def check_architecture(name: str, value: Any) -> str:
    """The text form of an architecture."""
    return str(Architecture.parse(value))


def check_cadence(name: str, value: Any) -> str:
    """The text form of a cadence, as it was given."""
    Cadence.parse(name, value)
    return str(value)


def each(check: Check) -> Check:
    """A check of lists, whose items the other one checks; NumPy's arrays are lists."""

    def check_list(name: str, value: Any) -> tuple[Any, ...]:
        if isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)):
            raise TypeError(f"{name} must be a list; got {described(value)}")
        return tuple(check(f"{name}[{index}]", item) for index, item in enumerate(value))

    return check_list


def check_numbers(name: str, value: Any) -> dict[str, float]:
    """Finite numbers by name."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a table of numbers by name; got {described(value)}")
    return {check_text(f"a name in {name}", key): check_finite(f"{name}[{key!r}]", item) for key, item in value.items()}
