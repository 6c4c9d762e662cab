"""The two forms in which a controller generates architectures, as decision processes with numbered states.

``single-shot``: the whole architecture in one go, a sequence of decisions; one reward, at the end. ``progressive``:
start small; deepen, widen, change the activation, stop; what each move leads to is trained, and rewarded by its gain.

The names are those of an article on reinforcement learning for architecture search, but that it writes "one-shot" for
the first, which elsewhere means a network that contains all architectures (docs/controllers.md).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nasdqn_fast.controllers._decisions import Decision, Tree
from nasdqn_fast.controllers._growth import Growth
from nasdqn_fast.controllers._scale import RunningScale
from nasdqn_fast.space import Architecture, SearchSpace, parse_setup
from nasdqn_fast.types import Proposal, Result


@dataclass
class Trajectory:
    """What was decided, one step after the other, and what that was worth.

    Args:
        states: numbers of the states.
        actions: numbers of the actions taken there.
        scores: ``single-shot``: the score. ``progressive``: the score of the start, then one a move.
    """

    states: list[int] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def get_state(self) -> dict[str, Any]:
        """Plain JSON values, of which ``Trajectory(**state)`` makes an equal one."""
        return {"states": list(self.states), "actions": list(self.actions), "scores": list(self.scores)}


class Form(ABC):
    """A decision process over a space.

    Attributes:
        features: float64 (states, n), each state as a network sees it.
        allowed: bool (states, actions), which actions each state has.
        current: the trajectory that has not ended.
    """

    features: np.ndarray
    allowed: np.ndarray

    def __init__(self) -> None:
        self.current = Trajectory()

    @abstractmethod
    def propose(self, choose: Callable[[int], int]) -> tuple[Proposal, Trajectory | None]:
        """What to train next, and the trajectory that ended before it, if one did.

        Args:
            choose: the state's number -> the action's.
        """

    @abstractmethod
    def tell(self, result: Result) -> Trajectory | None:
        """Takes the result of the last proposal; the trajectory that ends with it, if one does."""

    @abstractmethod
    def rewards(self, trajectory: Trajectory, scale: RunningScale) -> np.ndarray:
        """float64, a reward for each step of a trajectory."""

    def get_state(self) -> dict[str, Any]:
        """Plain JSON values."""
        return self.current.get_state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state`."""
        self.current = Trajectory(**state)


class SingleShot(Form):
    """One trajectory a proposal; its last step is rewarded by the score's z-score.

    The reward is that of the decisions, also where a transfer altered or refused what they had led to.

    Args:
        space: the architectures.
    """

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        tree = Tree(space)
        self._root, self._decisions = tree.root, tree.decisions
        self.allowed = np.zeros((len(tree.decisions), len(tree.parts)), bool)
        # What has been chosen so far, and which field it is about.
        self.features = np.zeros((len(tree.decisions), len(tree.parts) + len(tree.fields)))
        for decision in tree.decisions:
            self.allowed[decision.number, list(decision.actions)] = True
            self.features[decision.number, len(tree.parts) + tree.fields.index(decision.field)] = 1
        for architecture in space:
            chosen: list[int] = []
            for decision, place in tree.path(architecture):
                self.features[decision.number, chosen] = 1
                chosen.append(decision.actions[place])

    def propose(self, choose: Callable[[int], int]) -> tuple[Proposal, Trajectory | None]:
        self.current = Trajectory()
        at: Decision | Architecture = self._root
        while isinstance(at, Decision):
            action = choose(at.number)
            self.current.states.append(at.number)
            self.current.actions.append(action)
            at = at.outcomes[at.actions.index(action)]
        return Proposal(at, "policy"), None

    def tell(self, result: Result) -> Trajectory | None:
        self.current.scores.append(result.score)
        ended, self.current = self.current, Trajectory()
        return ended if ended.states else None  # a space of one architecture leaves nothing to decide

    def rewards(self, trajectory: Trajectory, scale: RunningScale) -> np.ndarray:
        rewards = np.zeros(len(trajectory.states))
        rewards[-1] = scale.z(trajectory.scores[0])
        return rewards


class Progressive(Form):
    """A trajectory begins with the smallest architecture and ends with the move ``stop``, or after so many moves.

    A move is rewarded by the gain in score, in deviations of all scores so far; ``stop`` by nothing. So the rewards of
    a trajectory add up to the gain from its first architecture to its last. What a transfer altered or refused is not
    pretended: the next move is made from the architecture that was really trained.

    Args:
        space: the architectures.
        max_moves: of a trajectory.
    """

    def __init__(self, space: SearchSpace, max_moves: int) -> None:
        super().__init__()
        self._growth, self._max_moves = Growth(space), max_moves
        self._numbers = {architecture: number for number, architecture in enumerate(space)}
        self._at: Architecture | None = None  # None: the next trajectory has not begun
        self._names = self._growth.names
        self.allowed = np.zeros((len(space), len(self._names)), bool)
        tree = Tree(space)
        self.features = np.zeros((len(space), len(tree.parts)))
        for architecture, number in self._numbers.items():
            self.allowed[number, [self._names.index(move) for move in self._growth.moves[architecture]]] = True
            self.features[number, list(tree.numbers(architecture))] = 1

    def propose(self, choose: Callable[[int], int]) -> tuple[Proposal, Trajectory | None]:
        if self._at is None:
            return self._begin(), None
        number = self._numbers[self._at]
        action = choose(number)
        self.current.states.append(number)
        self.current.actions.append(action)
        move = self._names[action]
        target = self._growth.moves[self._at][move]
        if target is None:
            ended, self.current = self.current, Trajectory()
            return self._begin(), ended
        self._at = target
        return Proposal(target, move), None

    def tell(self, result: Result) -> Trajectory | None:
        self.current.scores.append(result.score)
        if result.architecture in self._numbers:
            self._at = result.architecture
        if len(self.current.actions) < self._max_moves:
            return None
        ended, self.current, self._at = self.current, Trajectory(), None
        return ended

    def rewards(self, trajectory: Trajectory, scale: RunningScale) -> np.ndarray:
        rewards = np.zeros(len(trajectory.states))
        rewards[: len(trajectory.scores) - 1] = np.diff(trajectory.scores) / scale.deviation
        return rewards

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"at": self._at and str(self._at)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        trajectory = dict(state)
        at = trajectory.pop("at")
        super().set_state(trajectory)
        self._at = at and parse_setup(at)

    def _begin(self) -> Proposal:
        self._at = self._growth.start
        return Proposal(self._growth.start, "start")


FORMS = ("single-shot", "progressive")


def make_form(name: str, space: SearchSpace, max_moves: int) -> Form:
    """A form by its name.

    Args:
        name: one of `FORMS`.
        space: the architectures.
        max_moves: of a trajectory of the progressive form.
    """
    return SingleShot(space) if name == "single-shot" else Progressive(space, max_moves)
