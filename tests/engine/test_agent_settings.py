"""The agent's settings: defaults are SPEC 2's table, and every bad value is refused by name."""

import re

import numpy as np
import pytest

from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.optimizer_settings import OptimizerSettings
from nasdqn_fast.errors import NonFiniteError


def test_numbers_become_pythons_own_so_that_a_state_is_plain_json():
    settings = AgentSettings(gamma=np.float32(0.5), batch_size=np.int64(8), warm_up=np.uint8(0), learning_rate=1)
    assert [type(x) for x in (settings.gamma, settings.batch_size, settings.warm_up)] == [float, int, int]
    assert type(settings.learning_rate) is float


@pytest.mark.parametrize(("kind", "default"), [("sgd", 1e-3), ("adam", 2.5e-4)])
def test_the_learning_rate_defaults_to_the_optimizers(kind, default):
    assert AgentSettings(optimizer=kind).resolved_learning_rate == default
    assert OptimizerSettings(kind).resolved_learning_rate == default
    assert AgentSettings(optimizer=kind, learning_rate=0.5).resolved_learning_rate == 0.5


def test_epsilon_decays_once_an_episode_down_to_its_end():
    settings = AgentSettings(policy_epsilon_start=0.8, policy_epsilon_decay=0.5, policy_epsilon_end=0.15)
    assert [settings.policy_epsilon(n) for n in range(5)] == [0.8, 0.4, 0.2, 0.15, 0.15]


@pytest.mark.parametrize(
    ("name", "bad"),
    [(name, bad) for name in ("gamma", "policy_epsilon_start", "policy_epsilon_decay") for bad in (-0.1, 1.1, np.nan)]
    + [("policy_epsilon_end", bad) for bad in (-0.1, 1.1, np.nan)]
    + [(name, bad) for name in ("learning_rate", "gradient_clip", "huber_delta") for bad in (0, -1.0, np.inf, np.nan)]
    + [(name, 0) for name in ("batch_size", "updates_per_step", "replay_capacity", "target_every", "num_envs")]
    + [(name, bad) for name in ("train_every", "updates_per_train") for bad in (0, 2**20 + 1)]
    + [("batch_size", 2**20 + 1), ("replay_capacity", 2**32), ("num_envs", 2**62), ("updates_per_step", 2**63)]
    + [("target_tau", bad) for bad in (0, 1.1, np.nan)]
    + [(name, bad) for name in ("priority_alpha", "priority_beta_start") for bad in (-0.1, 1.1, np.nan)]
    + [
        ("replay_sampling", "ranked"),
        ("priority_epsilon", -1e-6),
        ("warm_up", -1),
        ("target_unit", "episodes"),
        ("gradient_clip_by", "value"),
        ("optimizer", "rmsprop"),
        ("horizon_is", "endless"),
        ("loss", "mean"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name, bad):
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        AgentSettings(**{name: bad})


@pytest.mark.parametrize(
    ("name", "bad"),
    [("gamma", "0.9"), ("batch_size", 64.0), ("warm_up", None), ("learning_rate", "small"), ("optimizer", 1)],
)
def test_a_value_of_the_wrong_type_is_refused_by_name(name, bad):
    with pytest.raises(TypeError, match=rf"\b{name}\b"):
        AgentSettings(**{name: bad})


def test_a_batch_larger_than_the_memory_is_refused():
    message = "batch_size must be at most replay_capacity (10); got 11; lower batch_size or raise replay_capacity"
    with pytest.raises(ValueError, match=re.escape(message)):
        AgentSettings(batch_size=11, replay_capacity=10)
    assert AgentSettings(batch_size=10, replay_capacity=10).batch_size == 10


def test_an_epsilon_that_would_rise_is_refused():
    with pytest.raises(ValueError, match=r"policy_epsilon_end must be at most policy_epsilon_start \(0.0\); got 0.05"):
        AgentSettings(policy_epsilon_start=0.0)


def test_an_unknown_keyword_names_the_nearest():
    with pytest.raises(TypeError, match="unknown setting 'gama': did you mean 'gamma'"):
        AgentSettings.from_keywords({"gama": 0.9})


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("loss", "non-finite loss in episode 17: lower learning_rate (now 0.001)"),
        ("weights", "non-finite weights in episode 17: lower learning_rate (now 0.001)"),
        ("reward", "non-finite reward in episode 17: the environment returned it; "),
    ],
)
def test_a_non_finite_number_is_explained(what, message):
    error = AgentSettings().non_finite(what, 17)
    assert isinstance(error, NonFiniteError)
    assert str(error).startswith(message)


@pytest.mark.parametrize(("name", "bad"), [("beta1", 1.0), ("beta2", -0.1), ("epsilon", 0.0), ("clip", np.inf)])
def test_adams_own_settings_are_refused_by_name(name, bad):
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        OptimizerSettings("adam", **{name: bad})
