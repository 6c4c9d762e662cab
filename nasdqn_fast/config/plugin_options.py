"""Options of a run's plug-ins: the tables ``[controller]``, ``[transfer]`` and ``[estimator]``.

A table holds what the dataclass ``Options`` of the plug-in declares. Some options have settings of their own, which
are older: those of the paper's controller (``--controller-temperature``) and the architecture of ``fixed``. A config
holds these there, wherever they were given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nasdqn_fast import envs, plugins
from nasdqn_fast.config.methods import find_method, method_of
from nasdqn_fast.config.sections import Config, SearchConfig
from nasdqn_fast.controllers import base as controllers
from nasdqn_fast.controllers.fixed import Fixed
from nasdqn_fast.controllers.nas_dqn import NASDQN
from nasdqn_fast.errors import InputError
from nasdqn_fast.options import make_options, options_class, options_of

# Class of options -> option -> setting of [search].
SPELLED_OUT: dict[type, dict[str, str]] = {
    NASDQN.Options: {
        "epsilon_start": "controller_epsilon_start",
        "epsilon_decay": "controller_epsilon_decay",
        "epsilon_min": "controller_epsilon_min",
        "temperature": "controller_temperature",
        "buffer_size": "controller_buffer",
        "score_kept": "controller_score_kept",
    },
    Fixed.Options: {"architecture": "architecture"},
}
# Every option that is spelled out for one of the controllers.
SPELLED_NAMES = frozenset(name for names in SPELLED_OUT.values() for name in names)


@dataclass(frozen=True)
class Table:
    """The table of a kind of plug-in.

    Args:
        name: of the table.
        kind: a key of `plugins.KINDS`.
    """

    name: str
    kind: str

    @property
    def keyword(self) -> str:
        """Keyword of `nasdqn_fast.train`."""
        return f"{self.name}_options"

    @property
    def option(self) -> str:
        """Command-line option, repeatable."""
        return f"--{self.name}-option"

    @property
    def setting(self) -> str:
        """The setting of [search] that chooses the plug-in."""
        return "method" if self.name == "controller" else self.name

    def chosen(self, search: Mapping[str, Any]) -> Any:
        """The plug-in's name, or the plug-in itself.

        Args:
            search: settings of [search]; without the one that chooses, its default holds.
        """
        value = search.get(self.setting, getattr(SearchConfig, self.setting))
        return find_method(value).controller if self.name == "controller" else value

    def find(self, search: Mapping[str, Any]) -> Any:
        """The plug-in.

        Raises:
            InputError: unknown name, no plug-in of this kind, or a method that has none.
        """
        chosen = self.chosen(search)
        if chosen is None:
            raise InputError(
                f"method {search[self.setting]!r} has no controller, nor options of one; "
                f"choose another method, or drop {self.keyword}"
            )
        if self.name == "controller":
            return controllers.find(chosen)
        return plugins.find(self.kind, chosen) if isinstance(chosen, str) else chosen

    def owner(self, search: Mapping[str, Any]) -> str:
        """Whose the options are, for messages."""
        chosen = self.chosen(search)
        return f"{self.name} {(chosen if isinstance(chosen, str) else plugins.name_of(chosen))!r}"


TABLES = (Table("controller", "controllers"), Table("transfer", "transfers"), Table("estimator", "estimators"))


def spelled_out(plugin: Any) -> Mapping[str, str]:
    """Option -> setting of [search], for options of this plug-in that have one."""
    kind = options_class(plugin)
    return next((names for owner, names in SPELLED_OUT.items() if issubclass(kind, owner)), {})


def given_options(config: Config, table: Table) -> dict[str, Any]:
    """The options of a plug-in of this config, as far as they are given."""
    search = config.search
    method = find_method(search.method)
    values = {name: getattr(search, setting) for name, setting in spelled_out(table.find(vars(search))).items()}
    if "architecture" in values and method.architecture is not None:
        values["architecture"] = method.architecture
    return {name: value for name, value in values.items() if value is not None} | dict(getattr(config, table.name))


def complete(config: Config) -> Config:
    """The config with every option of its plug-ins, defaults included.

    Raises:
        InputError: a plug-in is unknown, or one of its options is unknown, missing or wrong.
    """
    options: dict[str, Any] = {table.name: _all_options(config, table) for table in TABLES}
    return replace(config, **options)


def named(config: Config) -> Config:
    """The config with names in place of objects, so that it can be written to a file.

    Raises:
        InputError: an object cannot be found again by a name, or an option cannot be written.
    """
    env, search = config.env, config.search
    if not isinstance(env.name, str):
        env = replace(env, name=envs.address(env.name))
    for table in TABLES:
        plugin = table.chosen(vars(search))
        if plugin is not None and not isinstance(plugin, str):
            name = plugins.address(table.kind, plugin)
            setting: dict[str, Any] = {table.setting: method_of(name) if table.name == "controller" else name}
            search = replace(search, **setting)
        for name, value in getattr(config, table.name).items():
            try:
                json.dumps(value)
            except TypeError:
                raise InputError(f"{table.name} option {name}: {value!r} cannot be written to config.toml") from None
    return replace(config, env=env, search=search)


def _all_options(config: Config, table: Table) -> dict[str, Any]:
    search = vars(config.search)
    if find_method(config.search.method).loop != "online":  # plug-ins play no part
        return {}
    plugin = table.find(search)
    options = make_options(plugin, given_options(config, table), table.owner(search))
    held = spelled_out(plugin)
    return {about.name: getattr(options, about.name) for about in options_of(type(options)) if about.name not in held}
