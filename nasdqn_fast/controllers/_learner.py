"""What the controllers that learn by reinforcement have in common: a form, a policy, scaled rewards."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers._forms import FORMS, Trajectory, make_form
from nasdqn_fast.controllers._policies import Function, Network, Table
from nasdqn_fast.controllers._scale import RunningScale
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.options import HERE, Checked, option
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_positive

RATES = {"table": 0.1, "mlp": 0.01}


@dataclass(frozen=True)
class LearnerOptions(Checked):
    """Options that all of them have."""

    form: str = option(
        "single-shot",
        "an architecture in one go, or one move at a time, each trained and rewarded",
        HERE,
        choices=FORMS,
    )
    policy: str = option("table", "what is learned: a table, or a small network", HERE, choices=tuple(RATES))
    hidden: int = option(16, "tanh units of the small network", HERE, minimum=1)
    max_moves: int = option(8, "moves after which a progressive episode ends by itself", HERE, minimum=1)
    learning_rate: float | None = option(
        None,
        "step size; none: 0.1 with a table, 0.01 with a network, which Adam trains",
        "NAS-Bench-101's and NATS-Bench's REINFORCE",
        check=check_positive,
    )


class Learner(Controller):
    """Chooses actions, and learns from trajectories.

    A subclass writes `choose` and `learn_from`; what has state it names in `functions`, or adds to `get_state`.

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        options: the form, the policy, and more.
    """

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: LearnerOptions) -> None:
        super().__init__(space, rng)
        self.form = make_form(options.form, space, options.max_moves)
        self.scale = RunningScale()
        self.rate = options.learning_rate or RATES[options.policy]
        self.functions: dict[str, Function] = {}
        self._options = options

    @abstractmethod
    def choose(self, state: int) -> int:
        """The action to take in a state."""

    @abstractmethod
    def learn_from(self, trajectory: Trajectory) -> None:
        """Learns from a trajectory that has ended; its scores are in `scale`."""

    def function(self, name: str, n_outputs: int | None = None) -> Function:
        """A table or a network, as the options have it, whose state is part of the controller's.

        Args:
            name: in the state.
            n_outputs: None: one for each action.
        """
        n_states, n_actions = self.form.allowed.shape
        n_outputs = n_outputs or n_actions
        if self._options.policy == "table":
            self.functions[name] = Table(n_states, n_outputs)
        else:
            self.functions[name] = Network(self.form.features, n_outputs, self._options.hidden, self.rng)
        return self.functions[name]

    def propose(self) -> Proposal:
        proposal, ended = self.form.propose(self.choose)
        if ended is not None:
            self.learn_from(ended)
        return proposal

    def learn(self, result: Result) -> None:
        self.scale.add(result.score)
        ended = self.form.tell(result)
        if ended is not None:
            self.learn_from(ended)

    def get_state(self) -> dict[str, Any]:
        functions = {name: function.get_state() for name, function in self.functions.items()}
        return super().get_state() | {
            "scale": self.scale.get_state(),
            "form": self.form.get_state(),
            "functions": functions,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.scale.set_state(state["scale"])
        self.form.set_state(state["form"])
        for name, function in self.functions.items():
            function.set_state(state["functions"][name])
