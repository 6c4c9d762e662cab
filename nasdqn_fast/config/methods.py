"""Methods: the agents one compares, each a controller and, if fixed, its architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nasdqn_fast import plugins
from nasdqn_fast.errors import UnknownName


@dataclass(frozen=True)
class Method:
    """One agent.

    Args:
        controller: name of a controller, ``module:attribute``, or the class itself; None if the method has none.
        summary: one line for ``nasdqn-fast list methods``.
        architecture: what a fixed agent has; None where the user or the controller chooses.
        loop: ``online``, one network after the other; ``parallel``, several at once towards one target; ``race``,
            several with targets of their own; or ``supernet``, one that contains all others.
    """

    controller: Any
    summary: str
    architecture: str | None = None
    loop: str = "online"


# Rahmani et al. 2025, section 2.4.1.
METHODS = {
    "fixed-small": Method("fixed", "The paper's small agent: 2x32-relu from beginning to end.", "2x32-relu"),
    "fixed-medium": Method("fixed", "The paper's medium agent: 3x64-relu from beginning to end.", "3x64-relu"),
    "fixed-large": Method("fixed", "The paper's large agent: 4x128-relu from beginning to end.", "4x128-relu"),
    "fixed": Method("fixed", "One architecture from beginning to end, given by --architecture."),
    "random-nas": Method("random", "A uniformly drawn architecture every --switch-every episodes."),
    "nas-dqn": Method("nas-dqn", "The paper's agent: uniform with probability epsilon, else a softmax of scores."),
    "adadqn": Method(
        None,
        "AdaDQN: several networks at once on one memory, whose target is the one of the least loss.",
        loop="parallel",
    ),
    "race": Method(
        None,
        "Several networks at once on one memory; the best act more, and the worse half leaves again and again.",
        loop="race",
    ),
    "supernet": Method(
        None,
        "One network that contains every architecture as a leading block; all are scored at the end.",
        loop="supernet",
    ),
    "gradient": Method(
        None,
        "A supernet, and a softmax over depth, width and activation that follows the gradient of the mean score.",
        loop="supernet",
    ),
}


def all_methods() -> dict[str, Method]:
    """`METHODS`, and every other controller in the folder under its own name."""
    taken = {method.controller for method in METHODS.values()}
    others = {name: summary for name, summary in plugins.describe("controllers").items() if name not in taken}
    return METHODS | {name: Method(name, summary) for name, summary in others.items()}


def find_method(name: Any) -> Method:
    """The method of this name; ``module:attribute``, or a class, is a controller of the user's.

    Raises:
        InputError: unknown name.
    """
    if not isinstance(name, str) or ":" in name:
        return Method(name, "A controller of the user's.")
    if name in METHODS:  # the others are in files, which need not be looked into
        return METHODS[name]
    methods = all_methods()
    if name not in methods:
        raise UnknownName("method", name, methods)
    return methods[name]


def method_of(controller: str) -> str:
    """The method that is a controller, which is given by its name or as ``module:attribute``, and nothing else."""
    plain = {method.controller: name for name, method in METHODS.items() if method.architecture is None}
    return plain.get(controller, controller)
