"""Profiles: named sets of defaults, each the difference from the sections' own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nasdqn_fast.errors import UnknownName


@dataclass(frozen=True)
class Profile:
    """One set of defaults.

    Args:
        summary: one line for ``nasdqn-fast list profiles``.
        values: section -> key -> value, where it differs from the sections' own defaults.
    """

    summary: str
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


PROFILES = {"paper": Profile("The paper's values, and the plainest choice where it is silent.")}


def find_profile(name: str) -> Profile:
    """The profile of this name.

    Raises:
        InputError: unknown name.
    """
    if not isinstance(name, str) or name not in PROFILES:
        raise UnknownName("profile", name, PROFILES)
    return PROFILES[name]
