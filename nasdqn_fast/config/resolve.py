"""From what was given to one validated config: profile < config file < options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nasdqn_fast.config.models import Config, all_settings
from nasdqn_fast.config.profiles import find_profile
from nasdqn_fast.config.toml import read_toml
from nasdqn_fast.errors import InputError, suggest

Values = dict[str, dict[str, Any]]


class _Complaint(Exception):
    """What is wrong with the settings.

    Args:
        section, key: the setting, as far as it is one; ``key`` may be empty.
        text: what the check says.
    """

    def __init__(self, section: str, key: str, text: str) -> None:
        super().__init__(section, key, text)
        self.section, self.key, self.text = section, key, text

    def in_keywords(self) -> str:
        """The text with the setting's name as option and keyword, where that is not its key."""
        for setting in all_settings():
            if (setting.section, setting.key) == (self.section, self.key) and self.text.startswith(self.key):
                return setting.keyword + self.text.removeprefix(self.key)
        return self.text


def resolve(base: Config | str | Path | None = None, options: Mapping[str, Any] | None = None) -> Config:
    """The config of a run, with every default filled in.

    Args:
        base: a config, or the path of a TOML file.
        options: keyword (`Setting.keyword`) -> value; they override `base`, which overrides the
            profile. None means not given.

    Raises:
        InputError: unknown key or option, a value of the wrong type or out of range.
    """
    below, above = _base_values(base), _by_section(options or {})
    try:
        config = _config(_merged(below, above))
        _check_segment(config, above)
        return config
    except _Complaint as complaint:
        # What is wrong with the file by itself is the file's fault, and told in its words.
        if isinstance(base, (str, Path)) and complaint.args == _complaint(below):
            raise InputError(f"[{complaint.section}] in {str(base)!r}: {complaint.text}") from None
        raise InputError(complaint.in_keywords()) from None


def _config(given: Values) -> Config:
    profile = given.get("run", {}).get("profile", Config().run.profile)
    try:
        values = _merged(find_profile(profile).values, given)
    except InputError as error:
        raise _Complaint("run", "", str(error)) from None
    return _validated(values)


def _check_segment(config: Config, options: Values) -> None:
    """Refuses a segment longer than the run, if an option asks for it.

    A default's or a file's is left alone: it may serve a longer run, and the trainer ends with the last episode.
    """
    asked, episodes = config.search.switch_every, config.run.episodes
    if "switch_every" in options.get("search", {}) and asked > episodes:
        raise _Complaint(
            "search",
            "switch_every",
            f"switch_every must be at most episodes ({episodes}); got {asked}; lower switch_every or raise episodes",
        )


def _complaint(given: Values) -> tuple[Any, ...] | None:
    try:
        _config(given)
    except _Complaint as complaint:
        return complaint.args
    return None


def _base_values(base: Config | str | Path | None) -> Values:
    if base is None:
        return {}
    if isinstance(base, Config):
        return base.model_dump(exclude_unset=True)
    if isinstance(base, (str, Path)):
        values = read_toml(base)
        _check_keys(values, where=f" in {str(base)!r}")
        return values
    raise TypeError(f"config must be a Config or the path of a TOML file; got {type(base).__name__}")


def _check_keys(values: Mapping[str, Any], where: str) -> None:
    known: dict[str, set[str]] = {}
    for setting in all_settings():
        known.setdefault(setting.section, set()).add(setting.key)
    for section, table in values.items():
        if section not in known:
            raise InputError(f"unknown section {section!r}{where}: {suggest(section, known)}")
        if not isinstance(table, dict):
            raise InputError(f"{section!r}{where} must be a table; write [{section}]")
        for key in table:
            if key not in known[section]:
                raise InputError(f"unknown key {key!r} in [{section}]{where}: {suggest(key, known[section])}")


def _by_section(options: Mapping[str, Any]) -> Values:
    settings = {setting.keyword: setting for setting in all_settings()}
    values: Values = {}
    for keyword, value in options.items():
        if keyword not in settings:
            raise InputError(f"unknown option {keyword!r}: {suggest(keyword, settings)}")
        if value is not None:
            setting = settings[keyword]
            values.setdefault(setting.section, {})[setting.key] = value
    return values


def _merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """One nested mapping; where layers disagree the last one rules."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = _merged(merged[key], value) if both else value
    return merged


def _validated(values: Values) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        section, key, *_ = [*map(str, first["loc"]), ""]
        raise _Complaint(section, key, first["msg"].removeprefix("Value error, ")) from None
