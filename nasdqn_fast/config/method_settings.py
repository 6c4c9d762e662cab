"""Which settings go with which method: what has no effect is refused, and not passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nasdqn_fast.config.methods import find_method
from nasdqn_fast.config.plugin_options import TABLES
from nasdqn_fast.config.sections import Config, SearchConfig
from nasdqn_fast.errors import InputError, OutOfRange
from nasdqn_fast.options import options_of

Values = Mapping[str, Mapping[str, Any]]
# Loop -> what the names of its own settings begin with, and the method they go with.
OWN = {"parallel": ("adadqn_", "adadqn"), "supernet": ("supernet_", "supernet")}
# Of [search], what all loops read.
COMMON = ("method", "architecture", "depths", "widths", "activations", "architectures")


def problems_with_method(config: Config, given: Values, profile: Values) -> Iterator[tuple[str, Exception]]:
    """Sections and what is wrong with them.

    Args:
        config: all settings, valid each by itself.
        given: those that were given, whose values count if they are not the defaults.
        profile: the profile's values, which are defaults.
    """
    search = config.search
    loop = find_method(search.method).loop
    for about in options_of(SearchConfig):
        owner = _loop_of(about.name)
        if about.name in COMMON or owner == loop:
            continue
        default = about.check(profile.get("search", {}).get(about.name, about.default))
        if about.name in given.get("search", {}) and getattr(search, about.name) != default:
            method = OWN[owner][1] if owner in OWN else None
            goes_with = f"left out, as it goes with method {method}" if method else "left out, as it has no effect"
            got = repr(getattr(search, about.name))
            yield "search", OutOfRange(about.name, f"{goes_with}, with {{method}} {search.method!r}", got, "drop it")
    if loop != "online":
        yield from _problems_without_plugins(config)
    if loop == "parallel":
        yield from _problems_of_parallel(config)
    if loop == "supernet":
        yield from _problems_of_supernet(config)


def _loop_of(setting: str) -> str:
    """The loop that reads a setting which not all do."""
    return next((loop for loop, (prefix, _) in OWN.items() if setting.startswith(prefix)), "online")


def _problems_without_plugins(config: Config) -> Iterator[tuple[str, Exception]]:
    search = config.search
    for table in TABLES:
        if getattr(config, table.name):
            yield "search", InputError(f"method {search.method!r} has no {table.name}, nor options of one; drop them")
    if config.run.warm_start is not None:
        whose = "networks all begin" if find_method(search.method).loop == "parallel" else "network begins"
        wanted = f"left out with method {search.method!r}, whose {whose} anew"
        yield "run", OutOfRange("warm_start", wanted, repr(config.run.warm_start), "drop it")


def _problems_of_parallel(config: Config) -> Iterator[tuple[str, Exception]]:
    search, agent = config.search, config.agent
    if search.adadqn_networks == 1:
        return
    if agent.target_tau != 1.0:
        wanted = f"1 with method {search.method!r}: networks of different layers have no mean"
        yield "agent", OutOfRange("target_tau", wanted, f"{agent.target_tau:g}")
    if search.adadqn_replace_every % agent.target_every:
        expected = f"a multiple of {{target_every}} ({agent.target_every}), or 0"
        hint = "networks are compared when the target moves"
        yield "search", OutOfRange("adadqn_replace_every", expected, str(search.adadqn_replace_every), hint)


def _problems_of_supernet(config: Config) -> Iterator[tuple[str, Exception]]:
    search = config.search
    if search.supernet_sampling == "sandwich" and search.supernet_paths < 2:
        expected = "at least 2 with {supernet_sampling} sandwich, the largest and the smallest"
        hint = "raise it, or take {supernet_sampling} uniform"
        yield "search", OutOfRange("supernet_paths", expected, str(search.supernet_paths), hint)
