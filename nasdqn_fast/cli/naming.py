"""Errors about arguments of a function, told in the words of the command that calls it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nasdqn_fast.errors import BadArgument, SettingError


@contextlib.contextmanager
def naming(*arguments: str) -> Iterator[None]:
    """A block in which errors about these arguments name the options of the same names."""
    try:
        yield
    except BadArgument as error:
        if error.name not in arguments:
            raise
        raise SettingError(error, {name: f"--{name.replace('_', '-')}" for name in arguments}) from None
