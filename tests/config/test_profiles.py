"""Profiles: what they choose by environment and method, and how they are overridden."""

import gymnasium
import pytest

from nasdqn_fast import envs
from nasdqn_fast.config import PROFILES, resolve, resolve_search, to_toml
from nasdqn_fast.errors import InputError
from nasdqn_fast.run.api import train

ZOO = {"cartpole": 50_000, "acrobot": 100_000, "mountain-car": 120_000, "LunarLander-v3": 100_000}


@pytest.mark.parametrize(
    ("profile", "architecture"), [("sb3", "2x64-relu"), ("cleanrl", "120,84-relu"), ("zoo", "2x256-relu")]
)
def test_a_profile_trains_its_own_network(profile, architecture):
    result = train(profile=profile, env="cartpole", steps=300, replay_capacity=500)
    assert str(result.network.architecture) == architecture
    assert result.config.search.method == "fixed"


@pytest.mark.parametrize(("env", "steps"), ZOO.items())
def test_zoo_has_values_of_its_own_for_each_environment(env, steps):
    config = resolve(None, {"profile": "zoo", "env": env})
    assert config.agent.steps == steps
    assert config.agent.warm_up == config.agent.random_steps + 1


@pytest.mark.parametrize(
    "env",
    [
        "CartPole-v1",
        "nasdqn_fast/CartPole-v1",
        "nasdqn_fast:nasdqn_fast/CartPole-v1",
        "gymnasium:CartPole-v1",
        envs.make("cartpole").kernel,
        gymnasium.make("CartPole-v1"),
        envs.make("CartPole-v1"),
    ],
    ids=str,
)
def test_an_environment_is_known_by_all_its_names(env):
    assert resolve(None, {"profile": "zoo", "env": env}).agent.train_every == 256


def test_an_environment_bound_to_its_parameters_is_known_too():
    assert resolve(None, {"profile": "zoo", "env": envs.make("acrobot")}).agent.train_every == 4


@pytest.mark.parametrize("env", ["inverted-pendulum", "my.module:cartpole", "FrozenLake-v1"])
def test_zoo_refuses_other_environments_in_one_line(env):
    message = rf"env must be one of {', '.join(ZOO)} with profile 'zoo'; got '{env}'; choose one of these"
    for refused in (resolve, resolve_search):
        with pytest.raises(InputError, match=message):
            refused(None, {"profile": "zoo", "env": env})


def test_what_is_no_environment_at_all_is_refused_as_without_a_profile():
    for profile in ("zoo", "sb3"):
        with pytest.raises(InputError, match="env must be"):
            resolve(None, {"profile": profile, "env": 3})


def test_options_come_before_the_values_for_the_environment(tmp_path):
    file = tmp_path / "given.toml"
    file.write_text('[env]\nname = "acrobot"\n[run]\nprofile = "zoo"\n[agent]\nbatch_size = 16\nsteps = 900\n')
    agent = resolve(file, {"steps": 800}).agent
    assert (agent.batch_size, agent.steps, agent.replay_capacity) == (16, 800, 50_000)


def test_a_method_drops_the_architecture_of_the_profile():
    config = resolve(None, {"profile": "sb3", "method": "nas-dqn"})
    assert (config.search.method, config.search.architecture) == ("nas-dqn", None)
    assert config.agent == resolve(None, {"profile": "sb3"}).agent


def test_an_architecture_replaces_that_of_the_profile():
    assert resolve(None, {"profile": "sb3", "architecture": "1x8-tanh"}).search.architecture == "1x8-tanh"


@pytest.mark.parametrize("method", [None, "nas-dqn"])
@pytest.mark.parametrize("profile", PROFILES)
def test_a_config_with_a_profile_reads_back_as_itself(tmp_path, profile, method):
    config = resolve(None, {"profile": profile, "env": "acrobot", "method": method, "gamma": 0.5})
    (tmp_path / "given.toml").write_text(to_toml(config))
    assert resolve(tmp_path / "given.toml") == config
    assert resolve(config) == config


def test_another_environment_on_top_of_a_config_gets_its_own_values():
    config = resolve(resolve(None, {"profile": "zoo", "env": "cartpole", "gamma": 0.5}), {"env": "acrobot"})
    assert config == resolve(None, {"profile": "zoo", "env": "acrobot", "gamma": 0.5})


def test_the_robust_profile_searches_and_carries_what_was_learned_over_a_switch():
    """Oracle: by how much Q moves at its switches; `fresh` moves it by units."""
    result = train(profile="robust", episodes=40, switch_every=10, seed=1, depths=(2, 3), widths=(16, 32), warm_up=100)
    changes = [segment.transfer.q_change_mean for segment in result.segments if segment.transfer]
    assert result.config.search.method == "nas-dqn"
    assert changes
    assert max(changes) < 0.5
