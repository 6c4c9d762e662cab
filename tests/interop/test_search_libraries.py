"""Tables and spaces in Optuna and ConfigSpace. Oracle: the table's own queries, and the space itself."""

import itertools

import numpy as np
import pytest

from nasdqn_fast.interop.configspace import architecture_of, configuration_space
from nasdqn_fast.interop.optuna import objective
from nasdqn_fast.space import SearchSpace

UNEQUAL = SearchSpace(["1x4-relu", "5,3-tanh", "2x8-tanh"])


class Queried:
    """Stands for a table: a wider network is a better one; notes what is asked."""

    def __init__(self, space):
        self.space, self.asked = space, []

    def query(self, architecture, task, *, rng, episodes=None):
        assert architecture in self.space
        self.asked.append((architecture, task, int(rng.integers(8)), episodes))
        return type("Answer", (), {"score": float(architecture.widths[0])})


@pytest.mark.parametrize("space", [SearchSpace.paper(), UNEQUAL], ids=["grid", "list"])
def test_optuna_maximises_a_table(space):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = Queried(space)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective(table, "hanging", seed=3, episodes=100), 40)
    assert study.best_value == max(architecture.widths[0] for architecture in space)
    rng = np.random.default_rng(3)
    assert [run for _, _, run, _ in table.asked] == [int(rng.integers(8)) for _ in range(40)]
    assert {(task, episodes) for _, task, _, episodes in table.asked} == {("hanging", 100)}


@pytest.mark.parametrize("space", [SearchSpace.paper(), UNEQUAL], ids=["grid", "list"])
def test_configspace_has_the_same_architectures(space):
    pytest.importorskip("ConfigSpace")
    made = configuration_space(space, seed=0)
    drawn = {architecture_of(configuration) for configuration in made.sample_configuration(600)}
    assert drawn == set(space)
    choices = [getattr(p, "choices", None) or p.sequence for p in made.values()]
    every = [dict(zip(made, values, strict=True)) for values in itertools.product(*choices)]
    assert sorted(map(architecture_of, every)) == sorted(space)
