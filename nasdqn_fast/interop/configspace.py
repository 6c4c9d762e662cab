"""Search spaces as ConfigSpace has them, for SMAC, DEHB and others: ``configuration_space(table.space)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasdqn_fast.extras import optional
from nasdqn_fast.space import Architecture, SearchSpace


def configuration_space(space: SearchSpace, seed: int | None = None) -> Any:
    """A ``ConfigSpace.ConfigurationSpace`` of the same architectures.

    Of all combinations of some depths, widths and activations it has ``depth``, ``width`` (ordinal) and ``activation``
    (categorical); of another space ``architecture``, its text form.

    Args:
        space: the architectures.
        seed: of its ``sample_configuration``.

    Raises:
        MissingExtra: ConfigSpace is not installed.
    """
    library = optional("ConfigSpace", "search")
    axes = space.axes()
    if axes is None:
        parameters = [library.CategoricalHyperparameter("architecture", [str(architecture) for architecture in space])]
    else:
        ordinal = [library.OrdinalHyperparameter(name, sorted(axes[name])) for name in ("depth", "width")]
        parameters = [*ordinal, library.CategoricalHyperparameter("activation", list(axes["activation"]))]
    made = library.ConfigurationSpace(seed=seed)
    made.add(parameters)
    return made


def architecture_of(configuration: Mapping[str, Any]) -> Architecture:
    """The architecture of a configuration of such a space."""
    if "architecture" in configuration:
        return Architecture.parse(str(configuration["architecture"]))
    depth, width = (int(configuration[name]) for name in ("depth", "width"))
    return Architecture.uniform(depth, width, str(configuration["activation"]))
