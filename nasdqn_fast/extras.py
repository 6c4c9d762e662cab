"""Optional packages: imported where they are needed, and named with their extra where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from nasdqn_fast.errors import InputError


class MissingExtra(InputError, ImportError):
    """A package is not installed; the message says which, and how to install it."""


def optional(module: str, extra: str) -> Any:
    """A module of an optional package.

    Args:
        module: its full name.
        extra: the extra of this package that installs it.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # it is there, and lacks something itself
        raise MissingExtra(
            f"{package} is not installed, which this needs: pip install 'nasdqn-fast[{extra}]'"
        ) from None
