"""A setting: an option, and the section of a run's settings that it stands in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nasdqn_fast.options import Option, options_of


@dataclass(frozen=True)
class Setting:
    """One setting, as the command line and the docs show it.

    Args:
        section: table of the TOML file, e.g. ``agent``.
        about: what its field declares.
    """

    section: str
    about: Option

    @property
    def key(self) -> str:
        """Name within the section."""
        return self.about.name

    @property
    def keyword(self) -> str:
        """Name as a keyword argument of `nasdqn_fast.train`; the option is the same with dashes.

        A word that Python keeps for itself has a line below it at its end, which the option drops.
        """
        return self.about.keyword

    @property
    def option(self) -> str:
        """The command-line option, e.g. ``--switch-every``."""
        return "--" + self.keyword.rstrip("_").replace("_", "-")

    @property
    def annotation(self) -> Any:
        """The type, without None."""
        return self.about.annotation

    @property
    def default(self) -> str:
        """The default, as text."""
        return self.about.shown

    @property
    def help(self) -> str:
        """What it is."""
        return self.about.help

    @property
    def source(self) -> str:
        """Where the default comes from."""
        return self.about.source


def settings_of(section: str, kind: type) -> list[Setting]:
    """The settings of one section, in order of declaration."""
    return [Setting(section, about) for about in options_of(kind)]
