"""Settings: what they are, where their defaults come from, how files and options become one config."""

from nasdqn_fast.config.methods import METHODS, Method, all_methods, find_method
from nasdqn_fast.config.plugin_options import TABLES, Table, complete, given_options, named
from nasdqn_fast.config.profiles import PROFILES, Profile
from nasdqn_fast.config.resolve import resolve, resolve_search
from nasdqn_fast.config.sections import Config, EnvConfig, RunConfig, SearchConfig, all_settings
from nasdqn_fast.config.settings import Setting
from nasdqn_fast.config.toml import read_toml, to_toml

__all__ = [
    "METHODS",
    "PROFILES",
    "TABLES",
    "Config",
    "EnvConfig",
    "Method",
    "Profile",
    "RunConfig",
    "SearchConfig",
    "Setting",
    "Table",
    "all_methods",
    "all_settings",
    "complete",
    "find_method",
    "given_options",
    "named",
    "read_toml",
    "resolve",
    "resolve_search",
    "to_toml",
]
