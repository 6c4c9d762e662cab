"""What every controller must do, as tests to inherit: give a subclass the controller's name.

    class TestUCB(ControllerContract):
        controller = "mypackage.ucb:plugin"

Needs pytest.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from nasdqn_fast.controllers import base
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.storage import state_file
from nasdqn_fast.testing.randomness import global_generators
from nasdqn_fast.types import Cost, Proposal, Result

SPACE = SearchSpace.paper()
SEGMENTS = 30


class ControllerContract:
    """Inherit it in a class whose name begins with ``Test``.

    Attributes:
        controller: name of a controller, or ``module:attribute``.
        options: its options.
    """

    controller: str
    options: ClassVar[Mapping[str, Any]] = {}

    def make(self, seed: int = 0, space: SearchSpace = SPACE) -> base.Controller:
        return base.make(self.controller, space, np.random.default_rng(seed), self.options)

    def test_proposals_are_complete(self) -> None:
        for proposal in play(self.make()):
            assert proposal.reason.split() == [proposal.reason]  # one word
            assert proposal.budget is None or proposal.budget >= 1

    def test_proposals_come_from_the_space(self) -> None:
        only = self.make().ask().architecture  # what `fixed` wants must be in the space to be found there
        for space in (SPACE, SearchSpace([only])):
            assert all(proposal.architecture in space for proposal in play(self.make(space=space)))

    def test_ask_and_tell_take_turns(self) -> None:
        controller = self.make()
        proposal = controller.ask()
        with pytest.raises(RuntimeError, match="ask"):
            controller.ask()
        controller.tell(result(proposal, 1.0))
        with pytest.raises(RuntimeError, match="tell"):
            controller.tell(result(proposal, 1.0))

    def test_the_result_of_another_proposal_is_refused(self) -> None:
        controller = self.make()
        other = replace(controller.ask(), reason="another")
        with pytest.raises(ValueError, match="another"):
            controller.tell(result(other, 1.0))

    @pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
    def test_a_score_that_is_not_finite_is_refused(self, score: float) -> None:
        controller = self.make()
        with pytest.raises(ValueError, match="score must be finite"):
            controller.tell(result(controller.ask(), score))

    @pytest.mark.parametrize("score", [0.0, -1e12, 1e12])
    def test_equal_scores_of_any_size_are_taken(self, score: float) -> None:
        assert len(play(self.make(), lambda _: score)) == SEGMENTS

    def test_scores_far_apart_are_taken(self) -> None:
        assert len(play(self.make(), lambda segment: (-1e12) ** (segment % 2))) == SEGMENTS

    def test_a_refused_switch_is_taken(self) -> None:
        controller = self.make()
        for _ in range(SEGMENTS):
            controller.tell(replace(result(controller.ask(), 1.0), architecture=SPACE[0], accepted=False))

    def test_same_seed_same_proposals(self) -> None:
        assert play(self.make(seed=3)) == play(self.make(seed=3))

    def test_nothing_is_drawn_from_global_generators(self) -> None:
        before = global_generators()
        play(self.make())
        assert global_generators() == before

    @pytest.mark.parametrize("between", ["segments", "ask and tell"])
    def test_a_restored_controller_goes_on_as_if_never_stopped(self, between: str) -> None:
        controller, restored = self.make(seed=1), self.make(seed=2)
        play(controller)
        if between == "ask and tell":
            proposal = controller.ask()
        state = stored(controller.get_state())
        restored.set_state(state)
        restored.rng.bit_generator.state = controller.rng.bit_generator.state
        if between == "ask and tell":
            controller.tell(result(proposal, 2.0))
            restored.tell(result(proposal, 2.0))
        assert play(restored) == play(controller)

    def test_a_saved_state_is_not_changed_by_going_on(self) -> None:
        controller = self.make()
        play(controller, segments=2)
        state = controller.get_state()
        before = copy.deepcopy(state)
        play(controller)
        np.testing.assert_equal(state, before)


def result(proposal: Proposal, score: float) -> Result:
    """The result of a segment of two episodes, both worth `score`."""
    cost = Cost(steps=400, updates=400, parameters=proposal.architecture.parameter_count(3, 3), flop=10**9)
    return Result(proposal, proposal.architecture, score, np.full(2, score), cost)


def play(
    controller: base.Controller,
    score: Callable[[int], float] = lambda segment: 100.0 + 37 * segment % 11,
    segments: int = SEGMENTS,
) -> list[Proposal]:
    """Asks and tells; the proposals. `score` is given the number of the segment."""
    proposals = []
    for segment in range(segments):
        proposals.append(controller.ask())
        controller.tell(result(proposals[-1], score(segment)))
    return proposals


def stored(state: Any) -> Any:
    """A state as a checkpoint gives it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.npz")
        state_file.save(path, {"state": state})
        return state_file.load(path)["state"]
