"""Tasks, methods and points of a grid as text, and the configs that they stand for.

A task is an environment, and a label a method, each perhaps with settings: ``NAME+SECTION.OPTION=VALUE+...``, sections
and options as in a config file. ``fixed:3x64-relu`` is short for ``fixed+search.architecture=3x64-relu``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_origin

from nasdqn_fast.config import TABLES, Config, all_settings, complete, named, resolve, resolve_search
from nasdqn_fast.errors import InputError, SettingError, suggest
from nasdqn_fast.options import parse_options
from nasdqn_fast.study.plan import JOIN, text_of
from nasdqn_fast.validation import described

Values = dict[str, str]  # setting, as agent.learning_rate -> text
_FIXED = "fixed:"
# A comma before a digit may belong to an architecture, 64,32-tanh, or to a list of numbers.
_BETWEEN_NAMES = re.compile(r",(?=\s*[^\s\d.+-])")


def split_names(text: str) -> list[str]:
    """The tasks or methods in a list with commas between: those that a digit follows belong to a name."""
    return [name.strip() for name in _BETWEEN_NAMES.split(text) if name.strip()]


def split_values(setting: str, text: str) -> list[str]:
    """The values of a setting, with commas between; with semicolons where a value may hold commas itself."""
    return [value.strip() for value in text.split(";" if ";" in text or _is_list(setting) else ",") if value.strip()]


def parse_name(kind: str, text: str) -> tuple[str, Values]:
    """The name of a task or a label, and the settings after it.

    Args:
        kind: ``task`` or ``method``, for messages.
        text: as above.

    Raises:
        InputError: a part is no setting, or is given twice.
    """
    name, *pairs = re.split(rf"{re.escape(JOIN)}(?=[a-z_]+\.)", text)
    values: Values = {}
    if kind == "method" and name.startswith(_FIXED):
        values["search.architecture"] = name.removeprefix(_FIXED)
        name = "fixed"
    for pair in pairs:
        setting, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"{kind} {text!r}: {pair!r} must be SECTION.OPTION=VALUE, as agent.learning_rate=0.003")
        if setting in values:
            raise InputError(f"{kind} {text!r}: {setting} is given twice; drop one of the two")
        values[setting] = value
    if not name:
        raise InputError(f"{kind} {text!r} has no name; write it before the first {JOIN}")
    return name, values


def config_of(base: Config | str | Path | None, options: Mapping[str, Any], task: str, label: str) -> Config:
    """Every setting of the trials of one task and label; the seed is the default.

    Args:
        base: a config, or the path of a TOML file.
        options: settings for all trials, by keyword; those of the task and the label override them.
        task, label: as above.

    Raises:
        InputError: a setting is unknown, of the wrong type or out of range.
    """
    env, of_task = parse_name("task", task)
    method, of_label = parse_name("method", label)
    if both := of_task.keys() & of_label.keys():
        raise InputError(f"task {task!r} and method {label!r} both give {min(both)}; drop one of the two")
    given = {**options, "env": env, "method": method}
    tables: dict[str, Values] = {}
    for setting, text in (of_task | of_label).items():
        section, key = _parts(setting)
        if section in _TABLES:
            tables.setdefault(section, {})[key] = text
        else:
            found = _settings()[setting]
            try:
                given[found.keyword] = found.about.parse(text)
            except ValueError as error:
                raise SettingError(error, {key: found.keyword}) from None
    search = resolve_search(base, given) if tables else {}
    for section, texts in tables.items():
        table = _TABLES[section]
        parsed = parse_options(table.find(search), texts, table.owner(search))
        given[table.keyword] = {**given.get(table.keyword, {}), **parsed}
    return named(complete(resolve(base, given)))


def grid_values(setting: str, values: Sequence[Any]) -> tuple[Any, ...]:
    """The values of a setting in a grid, in the form in which they are stored.

    Args:
        setting: as ``agent.learning_rate``.
        values: as the setting has them, or as text.

    Raises:
        InputError: no section has this setting, or a value cannot be one of it.
    """
    section, _ = _parts(setting)
    if isinstance(values, str) or not isinstance(values, Sequence) or not values:
        raise InputError(f"the grid must have a list of values of {setting}, at least one; got {described(values)}")
    texts = [text_of(value) for value in values]
    if section in _TABLES:
        return tuple(texts)
    found = _settings()[setting]
    try:
        return tuple(found.about.parse(text) for text in texts)
    except ValueError as error:
        raise SettingError(error, {found.key: setting}) from None


def check_distinct(what: str, names: Sequence[str]) -> None:
    """Refuses a name that stands twice in a list."""
    if twice := [name for index, name in enumerate(names) if name in names[:index]]:
        raise InputError(f"{what} {twice[0]!r} is given twice; drop one of the two")


def differences(there: Any, here: Any, where: str = "") -> Iterable[str]:
    """What differs between two values of JSON, each as ``agent.gamma: 0.99 there, 0.98 here``."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for key in [*there, *(key for key in here if key not in there)]:
            yield from differences(there.get(key), here.get(key), f"{where}.{key}" if where else str(key))
    elif there != here:
        yield f"{where}: {there!r} there, {here!r} here"


_TABLES = {table.name: table for table in TABLES}
_ELSEWHERE = {"env.name": "tasks", "search.method": "methods", "run.seed": "seeds", "run.profile": "profile"}


def _parts(setting: str) -> tuple[str, str]:
    """Section and option.

    Raises:
        InputError: it is no setting that one trial can have and another not.
    """
    section, dot, key = setting.partition(".")
    if setting in _ELSEWHERE:
        raise InputError(f"{setting} cannot be varied here; give {_ELSEWHERE[setting]}")
    if not dot or (section not in _TABLES and setting not in _settings()):
        raise InputError(f"unknown setting {setting!r}: {suggest(setting, _settings())}")
    return section, key


def _settings() -> dict[str, Any]:
    return {f"{setting.section}.{setting.key}": setting for setting in all_settings()}


def _is_list(setting: str) -> bool:
    found = _settings().get(setting)
    return found is not None and (get_origin(found.annotation) is tuple or found.key == "architecture")
