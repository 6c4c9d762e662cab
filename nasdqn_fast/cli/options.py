"""Command-line options made from the settings, so that no setting can lack one."""

from __future__ import annotations

import itertools
import re
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click

from nasdqn_fast.config import Setting, all_settings

TITLES = {"env": "Environment", "agent": "Agent", "search": "Search", "run": "Run"}


class ListType(click.ParamType):
    """Several values with commas between.

    A comma after a digit may belong to the value itself, as in the architecture ``64,32-tanh``: in
    lists of names it does not separate.
    """

    def __init__(self, item: click.ParamType) -> None:
        self.item = item
        self.name = f"{item.name},..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        if not value.strip():
            return ()
        separator = r"," if self.item is click.INT else r"(?<=\D),"
        return tuple(self.item.convert(item.strip(), param, ctx) for item in re.split(separator, value))


class KeyValueType(click.ParamType):
    """``KEY=NUMBER``."""

    name = "key=number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        key, equals, number = value.partition("=")
        if not key or not equals:
            self.fail(f"{value!r} is not KEY=NUMBER, as gravity=9.8", param, ctx)
        return key.strip(), click.FLOAT.convert(number.strip(), param, ctx)


class OneOf(click.Choice[str]):
    """One of a few names. The config judges what came, and knows the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value


class SettingOption(click.Option):
    """The option of one setting; knows its section for the help page."""

    def __init__(self, setting: Setting) -> None:
        kind, several = _click_type(setting.annotation)
        super().__init__(
            [setting.option, setting.keyword],
            type=kind,
            multiple=several,
            help=f"{setting.help} [default: {setting.default}; {setting.source}]",
        )
        self.section = setting.section


class SectionedCommand(click.Command):
    """A command whose help page shows the settings section by section."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, params in itertools.groupby(self.get_params(ctx), _title):
            with formatter.section(title):
                formatter.write_dl([record for param in params if (record := param.get_help_record(ctx))])


def setting_options(command: click.Command) -> click.Command:
    """Adds the options of all settings to a command; they reach it as keywords of `nasdqn_fast.train`."""
    command.params += [SettingOption(setting) for setting in all_settings()]
    return command


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, in the form `nasdqn_fast.config.resolve` takes."""
    pairs = {setting.keyword for setting in all_settings() if _click_type(setting.annotation)[1]}
    values = {key: dict(value) if key in pairs else value for key, value in options.items()}
    return {key: value for key, value in values.items() if value not in (None, {})}


def _title(param: click.Parameter) -> str:
    return TITLES[param.section] if isinstance(param, SettingOption) else "Options"


def _click_type(annotation: Any) -> tuple[click.ParamType, bool]:
    """The click type of a setting, and whether its option may be repeated."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType, Annotated):  # X | None, or X with pydantic's metadata
        return _click_type(args[0])
    if origin is Literal:
        return OneOf(args), False
    if origin is tuple:
        return ListType(_click_type(args[0])[0]), False
    if origin is dict:
        return KeyValueType(), True
    scalars: dict[Any, click.ParamType] = {int: click.INT, float: click.FLOAT, str: click.STRING}
    return scalars[annotation], False
