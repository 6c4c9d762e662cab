"""What a controller is, and how one is made by name."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.errors import InputError
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_positive_int, described


class Controller(ABC):
    """Decides what to train next, knowing only what it asked for and what that was worth.

    `ask` and `tell` take turns, beginning with `ask`; after `tell` the run may end. A subclass writes
    `propose` and, if it learns, `learn`; one that has state extends `get_state` and `set_state`; its
    options are further arguments of its ``__init__``.

    Args:
        space: what there is to choose from.
        rng: the only source of randomness. Its state belongs to whoever made it
            (`nasdqn_fast.seeding.Streams`), and so is no part of `get_state`.
    """

    def __init__(self, space: SearchSpace, rng: np.random.Generator) -> None:
        self.space = space
        self.rng = rng
        self._pending: Proposal | None = None

    @property
    def pending(self) -> Proposal | None:
        """What was asked for and has no result yet."""
        return self._pending

    @abstractmethod
    def propose(self) -> Proposal:
        """What to train next."""

    def learn(self, result: Result) -> None:  # noqa: B027 (a controller need not learn)
        """Takes in what a segment was worth; here: forgets it."""

    def ask(self) -> Proposal:
        """What to train next.

        Raises:
            RuntimeError: the last proposal's result is still to be told.
            InputError: `propose` gave no proposal, or a budget that is no whole number >= 1.
        """
        if self._pending is not None:
            raise RuntimeError(f"ask() came twice; tell() the result of {self._pending.architecture} first")
        self._pending = self._checked(self.propose())
        return self._pending

    def tell(self, result: Result) -> None:
        """Takes in what came of the last proposal.

        Raises:
            RuntimeError: nothing was asked.
            ValueError: the result of another proposal, or a score that is not finite.
        """
        if self._pending is None:
            raise RuntimeError("tell() came without ask(); ask() for a proposal first")
        if result.proposal != self._pending:
            raise ValueError(f"result must be that of {self._pending}; got that of {result.proposal}")
        if not math.isfinite(result.score):
            raise ValueError(f"score must be finite; got {result.score} for {result.architecture}")
        self.learn(result)
        self._pending = None

    def get_state(self) -> dict[str, Any]:
        """All that `set_state` needs to go on from here, `rng` apart: plain JSON values and arrays."""
        return {"pending": self._pending and self._pending.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what `get_state` gave to a controller of the same space and options."""
        self._pending = None
        if state["pending"] is not None:
            self._pending = Proposal(**state["pending"])

    def _checked(self, proposal: Any) -> Proposal:
        who = f"controller {plugins.name_of(type(self))}"
        if not isinstance(proposal, Proposal):
            raise InputError(f"{who}: propose() must return a Proposal; got {described(proposal)}")
        if proposal.budget is None:
            return proposal
        try:
            return replace(proposal, budget=check_positive_int("budget", proposal.budget))  # NumPy's as Python's
        except (TypeError, ValueError) as error:
            raise InputError(f"{who}: a proposal's {error}") from None


def make(name: str, space: SearchSpace, rng: np.random.Generator, options: Mapping[str, Any]) -> Controller:
    """The controller of that name.

    Args:
        name: a file of this folder (``nas-dqn``) or ``module:attribute``.
        space: what there is to choose from.
        rng: its source of randomness.
        options: options of any controller; it is given those that its ``__init__`` names.

    Raises:
        InputError: unknown name, no controller, or an option is missing that it cannot do without.
    """
    controller = plugins.find("controllers", name)
    if not (isinstance(controller, type) and issubclass(controller, Controller)):
        raise InputError(
            f"controller {name!r} must be a subclass of {Controller.__module__}.Controller; got {controller!r}"
        )
    after_rng = list(inspect.signature(controller).parameters.values())[2:]
    named = [p for p in after_rng if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    missing = [p.name for p in named if p.default is p.empty and p.name not in options]
    if missing:
        raise InputError(f"controller {name!r} needs the option {', '.join(missing)}; got none")
    return controller(space, rng, **{p.name: options[p.name] for p in named if p.name in options})
