"""The TOML form of a config.

Format 1: five tables of scalars, flat lists and inline tables, and a table for each plug-in with options.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from nasdqn_fast.config.sections import Config
from nasdqn_fast.errors import InputError
from nasdqn_fast.validation import check_path

FORMAT = 1


def to_toml(config: Config) -> str:
    """All settings, defaults included; one that is None is left out, for TOML has no null.

    The config's plug-ins are names, as `nasdqn_fast.config.named` makes them.
    """
    lines = [f"format = {FORMAT}"]
    for section, values in config.as_dict().items():
        lines += ["", f"[{section}]"]
        lines += [f"{_key(key)} = {_toml(value)}" for key, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"


def read_toml(path: str | Path) -> dict[str, Any]:
    """Section -> key -> value of a config file, not validated beyond its format.

    Raises:
        InputError: unreadable, not TOML, or of a format this version does not know.
    """
    path = check_path("config", path)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read the config file {str(path)!r}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # also of bytes that are no text, and of arrays a thousand deep
        raise InputError(f"the config file {str(path)!r} is not TOML: {error}") from None
    version = values.pop("format", FORMAT)
    if type(version) is not int or version != FORMAT:
        raise InputError(f"the config file {str(path)!r} has format {version!r}; this version reads format {FORMAT}")
    return values


def _key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]+", key, re.ASCII) else _toml(key)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    # JSON's scalars and lists are TOML's, but for one control character that JSON leaves bare.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
