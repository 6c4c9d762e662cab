"""The incumbent: the network of the best segment so far, to which a search can return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

import numpy as np

from nasdqn_fast.engine.protocol import Agent
from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.space import Architecture, parse_setup
from nasdqn_fast.transfers.base import is_worse
from nasdqn_fast.types import Episodes

ERRORS = 2.0  # standard errors of the difference by which a segment must be worse
EPISODES = 10  # greedy ones by which both networks are then compared

# The segment's network takes its place; nothing happens; its own network takes that of the segment.
Outcome = Literal["succeeded", "kept", "in use again"]


class Incumbent:
    """What ended the segment with the highest mean return.

    Args:
        in_use: its architecture, a Setup where how to train it was chosen, too.
        network: a copy of the network, which nobody trains.
        optimizer: state of its optimizer.
        returns: float64 (n,), of the segment, n >= 1, of which the last `FINAL_EPISODES` are kept.
    """

    def __init__(self, in_use: Architecture, network: Any, optimizer: Mapping[str, Any], returns: np.ndarray) -> None:
        self.in_use = in_use
        self.network = network
        self.optimizer = optimizer
        self.returns = returns[-FINAL_EPISODES:].copy()

    @classmethod
    def of(cls, agent: Agent, in_use: Architecture, returns: np.ndarray) -> Self:
        """What an agent is at the end of a segment.

        Args:
            agent: it.
            in_use: what it trains.
            returns: float64 (n,), of the segment, n >= 1.
        """
        return cls(in_use, agent.network.copy(), agent.optimizer.get_state(), returns)

    def compare(self, network: Any, returns: np.ndarray, play: Callable[[Any, int], Episodes]) -> tuple[Outcome, str]:
        """What is to become of the incumbent after a segment.

        Training returns alone do not decide: the incumbent's may have been luck, or those of random actions, which
        can be better than what a network does at first.

        Args:
            network: of the segment.
            returns: float64 (n,), of the segment, n >= 1.
            play: (network, n) -> n greedy episodes of it, with the same starts each time.

        Returns:
            that, and a phrase for the log where episodes were played.
        """
        latest = returns[-FINAL_EPISODES:]
        fall = self.returns.mean() - latest.mean()
        if fall <= 0:
            return "succeeded", ""
        if not fall > ERRORS * np.sqrt(_variance_of_mean(self.returns) + _variance_of_mean(latest)):
            return "kept", ""
        worse, note = is_worse(play, self.network, network, EPISODES)
        return "in use again" if worse else "succeeded", note

    def get_state(self, agent: Agent) -> dict[str, Any]:
        """Plain values and arrays, all that `restored` needs."""
        return {
            "in_use": str(self.in_use),
            "network": agent.network_state(self.network),
            "optimizer": self.optimizer,
            "returns": self.returns,
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any], agent: Agent) -> Self:
        """The incumbent of a state that `get_state` returned.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or not of the agent's environment.
        """
        network = agent.network_of_state(state["network"])
        return cls(parse_setup(state["in_use"]), network, state["optimizer"], state["returns"])


def _variance_of_mean(returns: np.ndarray) -> float:
    """Infinite where there is a single one."""
    return float(returns.var(ddof=1) / len(returns)) if len(returns) > 1 else np.inf
