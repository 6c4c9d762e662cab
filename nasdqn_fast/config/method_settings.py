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
# What the names of a method's own settings begin with, and the methods that read them.
OWN = {"adadqn_": ("adadqn",), "race_": ("race",), "supernet_": ("supernet", "gradient"), "gradient_": ("gradient",)}
# Of [search], what all loops read, and what those read that draw from a space.
COMMON = ("method", "architecture", "depths", "widths", "activations", "architectures", "max_parameters")
DRAWN = ("optimizers", "learning_rates")


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
        owners = next((methods for prefix, methods in OWN.items() if about.name.startswith(prefix)), ())
        if (
            about.name in COMMON
            or (loop == "race" and about.name in DRAWN)
            or (search.method in owners if owners else loop == "online")
        ):
            continue
        default = about.check(profile.get("search", {}).get(about.name, about.default))
        if about.name in given.get("search", {}) and getattr(search, about.name) != default:
            its = f"goes with method {' or '.join(owners)}" if owners else "has no effect"
            wanted, got = f"left out, as it {its}, with {{method}} {search.method!r}", repr(getattr(search, about.name))
            yield "search", OutOfRange(about.name, wanted, got, "drop it")
    if loop != "online":
        yield from _problems_without_plugins(config)
    if loop == "parallel":
        yield from _problems_of_parallel(config)
    if search.method == "race" and search.race_keep > search.race_networks:
        wanted = f"at most {{race_networks}} ({search.race_networks})"
        yield "search", OutOfRange("race_keep", wanted, str(search.race_keep))


def _problems_without_plugins(config: Config) -> Iterator[tuple[str, Exception]]:
    search = config.search
    for table in TABLES:
        if getattr(config, table.name):
            yield "search", InputError(f"method {search.method!r} has no {table.name}, nor options of one; drop them")
    if config.reward.cost is not None:
        wanted = f"left out with method {search.method!r}, which tells no controller a score"
        yield "reward", OutOfRange("cost", wanted, repr(config.reward.cost), "drop it")
    if config.run.warm_start is not None:
        whose = "networks all begin" if find_method(search.method).loop in ("parallel", "race") else "network begins"
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
