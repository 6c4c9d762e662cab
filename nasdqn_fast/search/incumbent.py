"""The incumbent: the network of the best segment so far, to which a search can return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

import numpy as np

from nasdqn_fast.engine.protocol import Agent
from nasdqn_fast.space import Architecture, parse_setup
from nasdqn_fast.transfers.base import is_worse
from nasdqn_fast.types import Episodes

WINDOW = 100  # last episodes of a segment that are compared, as the paper's score has them
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
        mean: of the segment's last returns.
        variance: of this mean, infinite where a single return is known.
    """

    def __init__(
        self, in_use: Architecture, network: Any, optimizer: Mapping[str, Any], mean: float, variance: float
    ) -> None:
        self.in_use = in_use
        self.network = network
        self.optimizer = optimizer
        self.mean = mean
        self.variance = variance

    @classmethod
    def of(cls, agent: Agent, in_use: Architecture, returns: np.ndarray) -> Self:
        """What an agent is at the end of a segment.

        Args:
            agent: it.
            in_use: what it trains.
            returns: float64 (n,), of the segment, n >= 1.
        """
        return cls(in_use, agent.network.copy(), agent.optimizer.get_state(), *_mean(returns))

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
        mean, variance = _mean(returns)
        if mean >= self.mean:
            return "succeeded", ""
        if self.mean - mean <= ERRORS * np.sqrt(self.variance + variance):
            return "kept", ""
        worse, note = is_worse(play, self.network, network, EPISODES)
        return "in use again" if worse else "succeeded", note

    def get_state(self, agent: Agent) -> dict[str, Any]:
        """Plain values and arrays, all that `restored` needs."""
        return {
            "in_use": str(self.in_use),
            "network": agent.network_state(self.network),
            "optimizer": self.optimizer,
            "mean": self.mean,
            "variance": None if np.isinf(self.variance) else self.variance,
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any], agent: Agent) -> Self:
        """The incumbent of a state that `get_state` returned.

        Raises:
            KeyError, TypeError, ValueError: not a valid state, or not of the agent's environment.
        """
        variance = np.inf if state["variance"] is None else state["variance"]
        network = agent.network_of_state(state["network"])
        return cls(parse_setup(state["in_use"]), network, state["optimizer"], state["mean"], variance)


def _mean(returns: np.ndarray) -> tuple[float, float]:
    """Mean of the last returns, and its variance."""
    last = returns[-WINDOW:]
    return float(last.mean()), float(last.var(ddof=1) / len(last)) if len(last) > 1 else np.inf
