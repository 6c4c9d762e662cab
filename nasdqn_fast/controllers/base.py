"""What a controller is, and how one is made by name."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.errors import InputError
from nasdqn_fast.options import NoOptions, make_options
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_positive_int, described


class Controller(ABC):
    """Decides what to train next, knowing only what it asked for and what that was worth.

    `ask` and `tell` take turns, beginning with `ask`; after `tell` the run may end. A subclass writes `propose` and,
    if it learns, `learn`; one that has state extends `get_state` and `set_state`. One that has options declares them
    in a frozen dataclass ``Options`` inside it (`nasdqn_fast.plugins.option`) and is made with a third argument,
    an object of that class.

    Args:
        space: what there is to choose from.
        rng: the only source of randomness. Its state is saved by the run (`nasdqn_fast.seeding.Streams`) and so is no
            part of `get_state`.

    Attributes:
        continues_trials: whether its proposals have a `source`, a finished trial to continue from. The online search,
            which has none, refuses such a controller at once.
    """

    continues_trials: ClassVar[bool] = False

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
            raise RuntimeError(f"ask() was called twice; tell() the result of {self._pending.architecture} first")
        self._pending = self._checked(self.propose())
        return self._pending

    def tell(self, result: Result) -> None:
        """Takes in the result of the last proposal.

        Raises:
            RuntimeError: nothing was asked.
            ValueError: the result of another proposal, or a score that is not finite.
        """
        if self._pending is None:
            raise RuntimeError("tell() was called without ask(); ask() for a proposal first")
        if result.proposal != self._pending:
            raise ValueError(f"result must be that of {self._pending}; got that of {result.proposal}")
        if not math.isfinite(result.score):
            raise ValueError(f"score must be finite; got {result.score} for {result.architecture}")
        self.learn(result)
        self._pending = None

    def get_state(self) -> dict[str, Any]:
        """All that `set_state` needs to continue from here, `rng` apart: plain JSON values and arrays."""
        return {"pending": self._pending and self._pending.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state` of a controller of the same space and options."""
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


def find(controller: str | type[Controller]) -> type[Controller]:
    """The controller of that name.

    Args:
        controller: a file of this folder (``nas-dqn``), ``module:attribute``, or the class itself.

    Raises:
        InputError: unknown name, or no controller.
    """
    found: Any = plugins.find("controllers", controller) if isinstance(controller, str) else controller
    if not (isinstance(found, type) and issubclass(found, Controller)):
        who = f"controller {controller!r}" if isinstance(controller, str) else "a controller"
        raise InputError(f"{who} must be a subclass of {Controller.__module__}.Controller; got {found!r}")
    return found


def make(
    controller: str | type[Controller], space: SearchSpace, rng: np.random.Generator, options: Mapping[str, Any]
) -> Controller:
    """A controller by its name.

    Args:
        controller: as for `find`.
        space: what there is to choose from.
        rng: its source of randomness.
        options: its options by name; those not given have their defaults.

    Raises:
        InputError: unknown name, no controller, or an option that is unknown, missing or wrong.
    """
    found = find(controller)
    owner = controller if isinstance(controller, str) else plugins.name_of(controller)
    made = make_options(found, options, f"controller {owner!r}")
    # Without options it is made with two arguments, as `Controller` is.
    return found(space, rng) if isinstance(made, NoOptions) else found(space, rng, made)  # type: ignore[call-arg]
