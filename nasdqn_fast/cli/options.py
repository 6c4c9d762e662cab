"""Command-line options made from the settings, so that no setting can lack one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, get_args, get_origin

import click

from nasdqn_fast.config import TABLES, Setting, Table, all_settings, resolve_search
from nasdqn_fast.options import parse_options, split_list

TITLES = {"env": "Environment", "agent": "Agent", "search": "Search", "reward": "Reward", "run": "Run"}
_SCALARS: dict[Any, Any] = {
    int: click.INT,
    float: click.FLOAT,
    str: click.STRING,
    bool: click.BOOL,
}


class ListType(click.ParamType):
    """Several values with commas between, as `split_list` has them."""

    def __init__(self, item: type) -> None:
        self.item = item
        self.name = f"{_SCALARS[item].name},..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        return tuple(_SCALARS[self.item].convert(item, param, ctx) for item in split_list(value, self.item))


class KeyValueType(click.ParamType):
    """``KEY=NUMBER``."""

    name = "key=number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        key, number = _pair(self, value, "KEY=NUMBER, as gravity=9.8", param, ctx)
        return key, _SCALARS[float].convert(number, param, ctx)


class PluginOptionType(click.ParamType):
    """``KEY=VALUE``; what kind of value is for the plug-in to say."""

    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        return _pair(self, value, "KEY=VALUE, as temperature=1.5", param, ctx)


class OneOf(click.Choice[str]):
    """One of a few names. The config checks the value, and knows the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value


class SettingOption(click.Option):
    """The option of one setting; knows its section for the help page.

    Args:
        setting: which.
        default: text of the default, where the command has another than the setting declares.
    """

    def __init__(self, setting: Setting, default: str | None = None) -> None:
        kind, several = _click_type(setting)
        yes_or_no = setting.annotation is bool
        super().__init__(
            [f"{setting.option}/--no-{setting.option[2:]}" if yes_or_no else setting.option, setting.keyword],
            type=kind,
            multiple=several,
            default=None,
            help=f"{setting.help[0].upper()}{setting.help[1:]}.  [default: {default or setting.default}]",
        )
        self.title = TITLES[setting.section]


class PluginOption(click.Option):
    """The option for the options of a kind of plug-in; repeatable."""

    title = TITLES["search"]

    def __init__(self, table: Table) -> None:
        super().__init__(
            [table.option, table.keyword],
            type=PluginOptionType(),
            multiple=True,
            help=f"An option that `list {table.kind} NAME` shows; repeatable.",
        )


class SectionedCommand(click.Command):
    """A command whose help page shows the settings section by section."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, params in itertools.groupby(self.get_params(ctx), lambda param: getattr(param, "title", "Options")):
            with formatter.section(title):
                formatter.write_dl([record for param in params if (record := param.get_help_record(ctx))])


def setting_options(command: click.Command, but: Sequence[str] = ()) -> click.Command:
    """Adds the options of all settings to a command; they reach it as keywords of `nasdqn_fast.train`.

    Args:
        command: the command.
        but: keywords of those that it has not.
    """
    settings_here = [setting for setting in all_settings() if setting.keyword not in but]
    for section, settings in itertools.groupby(settings_here, lambda setting: setting.section):
        command.params += [SettingOption(setting) for setting in settings]
        if section == "search":
            command.params += [PluginOption(table) for table in TABLES]
    return command


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, in the form `nasdqn_fast.config.resolve` takes.

    Options of plug-ins stay text: `parse_plugin_options` reads them when the plug-ins are known.
    """
    several = {setting.keyword for setting in all_settings() if _click_type(setting)[1]}
    several |= {table.keyword for table in TABLES}
    values = {key: dict(value) if key in several else value for key, value in options.items()}
    return {key: value for key, value in values.items() if value not in (None, {})}


def parse_plugin_options(base: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The same options, those of plug-ins read as the plug-in declares them.

    Args:
        base: a config file, or None.
        options: as `given` returns them.

    Raises:
        InputError: an unknown plug-in or option, or a text that is no value of its type.
    """
    tables = {table.keyword: table for table in TABLES if table.keyword in options}
    if not tables:
        return options
    search = resolve_search(base, options)
    parsed = {
        key: parse_options(table.find(search), options[key], table.owner(search)) for key, table in tables.items()
    }
    return options | parsed


def _pair(
    kind: click.ParamType, value: str, example: str, param: click.Parameter | None, ctx: click.Context | None
) -> tuple[str, str]:
    key, equals, text = value.partition("=")
    if not key.strip() or not equals:
        kind.fail(f"{value!r} is not {example}", param, ctx)
    return key.strip(), text.strip()


def _click_type(setting: Setting) -> tuple[click.ParamType, bool]:
    """The click type of a setting, and whether its option may be repeated."""
    annotation, args = setting.annotation, get_args(setting.annotation)
    if setting.about.choices and annotation is str:
        return OneOf(setting.about.choices), False
    if get_origin(annotation) is tuple:
        return ListType(args[0]), False
    if get_origin(annotation) is dict:
        return KeyValueType(), True
    return _SCALARS.get(annotation, click.STRING), False
