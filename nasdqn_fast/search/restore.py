"""Restoring an agent whose environment or settings may have changed since its state was saved."""

from __future__ import annotations

from typing import Any, Protocol

from nasdqn_fast.errors import InputError


class Restorable(Protocol):
    """An agent, or a population."""

    def set_state(self, state: dict[str, Any]) -> None: ...


def restore(agent: Restorable, state: dict[str, Any]) -> None:
    """Gives an agent a state that its `get_state` returned.

    Raises:
        InputError: the state does not fit: the environment has other sizes by now, for instance.
    """
    try:
        agent.set_state(state)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the saved state does not fit the environment and the settings as they are now: {error}"
        ) from error
