"""From what was given to one validated config: profile < config file < options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nasdqn_fast.config.method_settings import problems_with_method
from nasdqn_fast.config.plugin_options import SPELLED_NAMES, TABLES, spelled_out
from nasdqn_fast.config.profiles import find_profile
from nasdqn_fast.config.sections import SECTIONS, Config, EnvConfig, RunConfig, all_settings
from nasdqn_fast.config.toml import read_toml
from nasdqn_fast.envs import Environment, PythonEnvironment
from nasdqn_fast.errors import InputError, OutOfRange, SettingError, UnknownName, message, suggest
from nasdqn_fast.options import options_of
from nasdqn_fast.validation import check_table

Values = dict[str, dict[str, Any]]
_NEVER = object()  # equals no value
PLUGIN_TABLES = tuple(table.name for table in TABLES)


class _Complaint(Exception):
    """Something is wrong with a section.

    Args:
        section: its name.
        problem: what the check raised.
    """

    def __init__(self, section: str, problem: Exception) -> None:
        super().__init__(section, problem)
        self.section, self.problem = section, problem

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Complaint) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, str]:
        return self.section, message(self.problem)


def resolve(base: Config | str | Path | None = None, options: Mapping[str, Any] | None = None) -> Config:
    """The config of a run, with every default filled in but those of the options of plug-ins.

    Args:
        base: a config, or the path of a TOML file.
        options: keyword (`Setting.keyword`, or ``controller_options`` and the like) -> value; they override `base`,
            which overrides the profile. None means not given.

    Raises:
        InputError: unknown key or option, a value of the wrong type or out of range.
    """
    below, above = _base_values(base), _by_section(options or {})
    try:
        config = _config(below, above)
        _check_segment(config, above)
        _check_method(config, _merged(below, above))
        return config
    except _Complaint as complaint:
        # What is wrong with the file by itself is the file's fault, and told in its words.
        if isinstance(base, (str, Path)) and complaint == _complaint(below):
            raise SettingError(complaint.problem, file=f"[{complaint.section}] in {str(base)!r}") from None
        raise SettingError(complaint.problem, _keywords(complaint.section)) from None


def resolve_search(base: Config | str | Path | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of [search] as far as they are given, not validated: what chooses the plug-ins.

    Args:
        base, options: as for `resolve`.

    Raises:
        InputError: the file cannot be read, or an option is unknown.
    """
    given = _merged(_base_values(base), _by_section(options))
    try:
        profile = _profile(given)
    except _Complaint as complaint:
        raise SettingError(complaint.problem, _keywords(complaint.section)) from None
    search: dict[str, Any] = _merged(profile, given).get("search", {})
    return search


def _config(*layers: Values) -> Config:
    given = _merged(*layers)
    return _validated(_merged(_profile(given), *_spelled(layers, given)))


def _profile(given: Values) -> Values:
    """What the profile of these settings has for their environment and method."""
    name = given.get("run", {}).get("profile", RunConfig.profile)
    try:
        profile = find_profile(name)
    except InputError as error:
        raise _Complaint("run", error) from None
    try:
        values = _merged(profile.values_for(name, given.get("env", {}).get("name", EnvConfig.name)))
    except OutOfRange as error:
        raise _Complaint("env", error) from None
    search = values.get("search", {})
    if "architecture" in search and given.get("search", {}).get("method", search["method"]) != search["method"]:
        search = {key: value for key, value in search.items() if key != "architecture"}  # it is the profile's method's
    return values | {"search": search}


def _validated(values: Values) -> Config:
    sections: dict[str, Any] = {}
    for name, kind in SECTIONS.items():
        try:
            sections[name] = kind(**values.get(name, {}))
        except (TypeError, ValueError) as error:
            raise _Complaint(name, error) from None
    return Config(**sections | {name: values.get(name, {}) for name in PLUGIN_TABLES})


def _check_segment(config: Config, options: Values) -> None:
    """Refuses a segment longer than the run, if an option asks for it.

    A default's or a file's is left alone: it may serve a longer run, and the trainer ends with the last episode.
    """
    asked, episodes = config.search.switch_every, config.run.episodes
    by_steps = config.agent.steps is not None
    if "switch_every" in options.get("search", {}) and asked > episodes and not by_steps:
        expected, hint = f"at most {{episodes}} ({episodes})", "lower {switch_every} or raise {episodes}"
        raise _Complaint("search", OutOfRange("switch_every", expected, str(asked), hint))


def _check_method(config: Config, given: Values) -> None:
    """Refuses settings that have no effect with the method, or that it cannot have."""
    profile = _profile(given)
    for section, problem in problems_with_method(config, given, profile):
        raise _Complaint(section, problem)


def _complaint(given: Values) -> _Complaint | None:
    try:
        _check_method(_config(given), given)
    except _Complaint as complaint:
        return complaint
    return None


def _base_values(base: Config | str | Path | None) -> Values:
    if base is None:
        return {}
    if isinstance(base, Config):
        return _differences(base)
    if isinstance(base, (str, Path)):
        values = read_toml(base)
        _check_keys(values, where=f" in {str(base)!r}")
        return values
    raise TypeError(f"config must be a Config or the path of a TOML file; got {type(base).__name__}")


def _differences(config: Config) -> Values:
    """What was given to make this config: where it differs from its profile."""
    name = config.env.name
    profile: Values = {"run": {"profile": config.run.profile}} | (
        {} if name == EnvConfig.name else {"env": {"name": name}}
    )
    defaults = _config(profile).as_dict()
    given = {
        section: {key: value for key, value in values.items() if defaults.get(section, {}).get(key, _NEVER) != value}
        for section, values in config.as_dict().items()
    }
    return _merged(given, profile)


def _check_keys(values: Mapping[str, Any], where: str) -> None:
    known = {name: [about.name for about in options_of(kind)] for name, kind in SECTIONS.items()}
    for section, table in values.items():
        if section not in known and section not in PLUGIN_TABLES:
            raise InputError(f"unknown section {section!r}{where}: {suggest(section, [*known, *PLUGIN_TABLES])}")
        if not isinstance(table, dict):
            raise InputError(f"{section!r}{where} must be a table; write [{section}]")
        for key in table:
            if section in known and key not in known[section]:
                raise InputError(f"unknown key {key!r} in [{section}]{where}: {suggest(key, known[section])}")


def _by_section(options: Mapping[str, Any]) -> Values:
    settings = {setting.keyword: setting for setting in all_settings()}
    tables = {table.keyword: table.name for table in TABLES}
    values: Values = {}
    for keyword, value in options.items():
        if value is None and (keyword in settings or keyword in tables):
            continue
        if keyword in tables:
            try:
                values[tables[keyword]] = check_table(keyword, value, lambda _, item: item, of="options")
            except TypeError as error:
                raise SettingError(error) from None
        elif keyword in settings:
            setting = settings[keyword]
            values.setdefault(setting.section, {})[setting.key] = value
        else:
            raise SettingError(UnknownName("option", keyword, [*settings, *tables]))
    return _unbound(values)


def _unbound(values: Values) -> Values:
    """An environment whose parameters are fixed, as its kernel and these."""
    env = values.get("env", {})
    environment = env.get("name")
    if not isinstance(environment, (Environment, PythonEnvironment)):
        return values
    if others := [_keywords("env")[key] for key in env if key != "name"]:
        raise InputError(f"an Environment has its parameters: drop {', '.join(others)}, or pass its .kernel")
    bound = {
        "name": environment.kernel,
        "params": environment.values,
        "max_episode_steps": environment.limit,
    }
    return values | {"env": bound}


def _spelled(layers: tuple[Values, ...], merged: Values) -> list[Values]:
    """The layers, with options of the controller moved to the settings that hold them.

    Raises:
        InputError: one layer gives the same option both ways.
    """
    if not SPELLED_NAMES.intersection(merged.get("controller", {})):
        return list(layers)
    try:
        names = spelled_out(TABLES[0].find(merged.get("search", {})))
    except InputError:  # reported when the section is checked, or when the run needs the controller
        return list(layers)
    return [_moved(layer, names) for layer in layers]


def _moved(layer: Values, names: Mapping[str, str]) -> Values:
    table, search = layer.get("controller", {}), layer.get("search", {})
    moved = {names[name]: value for name, value in table.items() if name in names}
    for name in table:
        if name in names and names[name] in search:
            raise _Complaint(
                "search",
                OutOfRange(names[name], "given once", f"the controller's option {name!r}, too", "drop one of the two"),
            )
    rest = {name: value for name, value in table.items() if name not in names}
    return layer | {"controller": rest, "search": search | moved}


def _merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """One nested mapping; where layers disagree the last one rules."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
            merged[key] = _merged(merged[key], value) if both else value
    return merged


def _keywords(section: str) -> dict[str, str]:
    """Key -> keyword."""
    return {setting.key: setting.keyword for setting in all_settings() if setting.section == section}
