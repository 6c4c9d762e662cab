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
PARALLEL = "adadqn_"  # what the names of the parallel search's settings begin with
# Of [search], what both loops read.
COMMON = ("method", "architecture", "depths", "widths", "activations", "architectures", "max_parameters")


def problems_with_method(config: Config, given: Values, profile: Values) -> Iterator[tuple[str, Exception]]:
    """Sections and what is wrong with them.

    Args:
        config: all settings, valid each by itself.
        given: those that were given, whose values count if they are not the defaults.
        profile: the profile's values, which are defaults.
    """
    search = config.search
    parallel = find_method(search.method).loop == "parallel"
    for about in options_of(SearchConfig):
        if about.name in COMMON or about.name.startswith(PARALLEL) == parallel:
            continue
        default = about.check(profile.get("search", {}).get(about.name, about.default))
        if about.name in given.get("search", {}) and getattr(search, about.name) != default:
            goes_with = "left out, as it has no effect" if parallel else "left out, as it goes with method adadqn"
            got = repr(getattr(search, about.name))
            yield "search", OutOfRange(about.name, f"{goes_with}, with {{method}} {search.method!r}", got, "drop it")
    if parallel:
        yield from _problems_of_parallel(config)


def _problems_of_parallel(config: Config) -> Iterator[tuple[str, Exception]]:
    search, agent = config.search, config.agent
    for table in TABLES:
        if getattr(config, table.name):
            yield "search", InputError(f"method {search.method!r} has no {table.name}, nor options of one; drop them")
    if config.reward.cost is not None:
        wanted = f"left out with method {search.method!r}, which tells no controller a score"
        yield "reward", OutOfRange("cost", wanted, repr(config.reward.cost), "drop it")
    if config.run.warm_start is not None:
        wanted = f"left out with method {search.method!r}, whose networks all begin anew"
        yield "run", OutOfRange("warm_start", wanted, repr(config.run.warm_start), "drop it")
    if search.adadqn_networks == 1:
        return
    if agent.target_tau != 1.0:
        wanted = f"1 with method {search.method!r}: networks of different layers have no mean"
        yield "agent", OutOfRange("target_tau", wanted, f"{agent.target_tau:g}")
    if search.adadqn_replace_every % agent.target_every:
        expected = f"a multiple of {{target_every}} ({agent.target_every}), or 0"
        hint = "networks are compared when the target moves"
        yield "search", OutOfRange("adadqn_replace_every", expected, str(search.adadqn_replace_every), hint)
