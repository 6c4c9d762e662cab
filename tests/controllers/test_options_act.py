"""Every option of every controller acts: with another value it proposes something else."""

import numpy as np
import pytest

from nasdqn_fast import plugins
from nasdqn_fast.controllers import base
from nasdqn_fast.options import options_class, options_of
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.testing.controllers import result

SPACE = SearchSpace.paper()
WORTH = dict(zip(SPACE, np.random.default_rng(0).permutation(27), strict=True))
TRIALS = 80
# Those whose options are settings of a run, too: tests/run/test_every_setting_acts.py.
SPELLED_OUT = ("fixed", "nas-dqn")
LEARNERS = {
    "form": ("progressive", {}),
    "policy": ("mlp", {}),
    "hidden": (3, {"policy": "mlp"}),
    "max_moves": (2, {"form": "progressive"}),
    "learning_rate": (0.5, {}),
}
GREEDY = {"epsilon_start": (0.5, {}), "epsilon_decay": (0.8, {}), "epsilon_min": (0.5, {})}
# Controller -> option -> another value, and what else is to be set so that it can act.
OTHER = {
    "reinforce": LEARNERS | {"baseline_decay": (0.2, {}), "entropy": (1.0, {})},
    "actor-critic": LEARNERS | {"critic_rate": (0.5, {}), "trace": (0.0, {}), "entropy": (1.0, {})},
    "ppo": LEARNERS
    | {
        "batch": (1, {}),
        "epochs": (9, {}),
        "clip": (0.01, {}),
        "critic_rate": (0.5, {}),
        "trace": (0.0, {}),
        "entropy": (1.0, {}),
    },
    "q-learning": LEARNERS | GREEDY | {"replays": (0, {})},
    "sarsa": LEARNERS | GREEDY | {"expected": (True, {"learning_rate": 0.5, "epsilon_min": 0.5})},
    "evolution": {"population": (3, {}), "sample": (1, {})},
    "bandit": {
        "rule": ("ucb1", {}),
        "arms": ("flat", {}),
        "c": (0.1, {"rule": "ucb1"}),
        "startup": (1, {"rule": "ucb1"}),
        "discount": (0.5, {"rule": "discounted-ucb"}),
    },
    "ucb": {"c": (0.1, {}), "window": (4, {})},
    "halving": {
        "rule": ("hyperband", {}),
        "eta": (2, {}),
        "configurations": (4, {}),
        "budget": (7, {}),
    },
    "prune-only": {"architecture": ("3x32-relu", {"architecture": "2x32-relu"})},
    "reset-only": {"architecture": ("3x32-relu", {"architecture": "2x32-relu"})},
    "optuna": {"sampler": ("random", {}), "startup_trials": (3, {})},
}


def options_by_controller():
    for name in plugins.names("controllers"):
        for about in options_of(options_class(plugins.find("controllers", name))):
            if name not in SPELLED_OUT:
                yield name, about.name


def proposals(name, options):
    controller, found = base.make(name, SPACE, np.random.default_rng(3), options), []
    for _ in range(TRIALS):
        found.append(controller.ask())
        controller.tell(result(found[-1], float(WORTH[found[-1].architecture])))
    return found


@pytest.mark.parametrize(("name", "option"), [*options_by_controller()])
def test_every_option_acts(name, option):
    assert option in OTHER.get(name, {}), f"option {option} of {name} is new: add another value to OTHER"
    value, others = OTHER[name][option]
    assert proposals(name, others | {option: value}) != proposals(name, others), f"{option} = {value!r} is ignored"


def test_no_entry_is_about_an_option_that_is_gone():
    assert {(name, option) for name, options in OTHER.items() for option in options} == {*options_by_controller()}
