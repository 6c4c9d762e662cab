"""Another optimizer for an agent in the middle of its training. Oracle: its states before and after."""

from dataclasses import replace

import numpy as np
import pytest

from nasdqn_fast.engine import DQNAgent, DQNPopulation
from nasdqn_fast.reference import DQNAgent as ReferenceAgent

SETTINGS = {"batch_size": 4, "warm_up": 10, "replay_capacity": 200, "optimizer": "adam", "learning_rate": 0.01}


@pytest.mark.parametrize("kind", [DQNAgent, ReferenceAgent])
def test_it_trains_on_as_an_agent_that_was_made_with_these_settings(kind, tmp_path):
    """One is switched; the other is made with the new settings, and given the first one's state."""
    switched = kind("cartpole", "1x4-relu", rng=3, **SETTINGS)
    switched.run_episodes(2)
    settings = replace(switched.settings, learning_rate=0.001)
    switched.switch_optimizer(settings)
    made = kind("cartpole", "1x4-relu", rng=3, **vars(settings))
    made.set_state(switched.get_state())
    switched.save(tmp_path / "agent.npz")
    loaded = kind.load(tmp_path / "agent.npz")
    assert loaded.settings == switched.settings == settings
    for agent in (switched, made, loaded):
        agent.run_episodes(3)
    for other in (made, loaded):
        np.testing.assert_array_equal(switched.network.parameters, other.network.parameters)


def test_other_settings_are_refused_and_nothing_changes():
    agent = DQNAgent("cartpole", "1x4-relu", rng=3, **SETTINGS)
    other = replace(agent.settings, gamma=0.5)
    for change in (agent.switch_optimizer, lambda settings: agent.switch_network(agent.network, None, settings)):
        with pytest.raises(ValueError, match="settings must be the agent's, but for optimizer and learning_rate"):
            change(other)
    assert agent.settings.gamma != 0.5


def test_a_population_has_its_candidates_say():
    population = DQNPopulation("cartpole", ["1x4-relu", "1x5-relu"], rng=3, batch_size=4, warm_up=10)
    with pytest.raises(ValueError, match="is trained as its candidate says; replace the network"):
        population.switch_optimizer(population.settings)
    with pytest.raises(ValueError, match="is trained as its candidate says; replace the network"):
        population.switch_network(population.network, None, population.settings)
