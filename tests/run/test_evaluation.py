"""`nasdqn_fast.evaluate` on finished runs."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Played
from nasdqn_fast.run.api import train
from nasdqn_fast.run.evaluation import evaluate

TINY = {"method": "fixed", "architecture": "1x4-relu", "env": "cartpole", "episodes": 6, "max_episode_steps": 30}


def test_evaluation_repeats_itself_and_follows_its_seed(tmp_path):
    train(**TINY, out=tmp_path / "a")
    files = {path: path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file()}
    first, second, other = (evaluate(tmp_path / "a", 5, seed=seed).returns for seed in (None, None, 9))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert {path: path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file()} == files


def test_evaluation_is_greedy(tmp_path):
    """Oracle: the network's own argmax, stepped through the environment by hand."""
    result = train(**TINY, out=tmp_path / "a")
    environment = envs.make("cartpole", max_episode_steps=30)
    kernel, params = environment.kernel, environment.params
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(0, spawn_key=(6,))))  # stream "evaluation"
    state, obs, reward = np.empty(kernel.state_size), np.empty(4, np.float32), np.empty(1)
    kernel.reset(params, rng.random(kernel.reset_uniforms), state, obs)
    total = 0.0
    for _ in range(30):
        rng.random()  # the policy's draw, which epsilon = 0 leaves without effect
        action = int(result.network.forward(obs[None])[0].argmax())
        flags = kernel.step(params, np.empty(0), state, action, obs, reward)
        total += reward[0]
        if flags:
            break
    assert evaluate(tmp_path / "a", 1).returns[0] == total


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda run: (run / "network.safetensors").write_bytes(b"PK\x03\x04 no more"),
            r"damaged or foreign network file",
        ),
        (
            lambda run: [(run / "network.safetensors").unlink(), shutil.rmtree(run / "checkpoints")],
            r"has nothing to evaluate yet, no network and no checkpoint: nasdqn-fast resume ",
        ),
        (lambda run: (run / "config.toml").unlink(), r"is not a run directory: it holds no config.toml"),
        (lambda run: (run / "config.toml").write_text("[agent"), r"is not TOML"),
        (lambda run: QNetwork("1x4-relu", 7, 2).save(run / "network.safetensors"), r"has 7 observations and 2 actions"),
    ],
)
def test_a_damaged_run_is_named(tmp_path, damage, message):
    run = tmp_path / "a"
    train(**TINY, out=run)
    damage(run)
    with pytest.raises(InputError, match=message):
        evaluate(run)


def test_the_run_is_named_when_it_is_no_path():
    with pytest.raises(TypeError, match="run must be a path; got int 3"):
        evaluate(3)


def test_a_number_of_episodes_is_named_when_it_is_wrong(tmp_path):
    with pytest.raises(ValueError, match="episodes must be an integer >= 1; got 0"):
        evaluate(tmp_path, 0)


def test_a_run_that_was_killed_is_evaluated_from_its_newest_checkpoint(tmp_path):
    """Oracle: the run of as many episodes as the checkpoint has."""
    train(**TINY | {"episodes": 4}, out=tmp_path / "short")
    killed = []

    def die(event):
        killed.append(event)
        if sum(isinstance(e, Played) for e in killed) == 5:
            raise SystemExit

    with pytest.raises(SystemExit):
        train(**TINY | {"checkpoint_every": "2"}, out=tmp_path / "run", progress=die)
    for name in ("network.safetensors", "summary.json"):
        (tmp_path / "run" / name).unlink()
    max((tmp_path / "run" / "checkpoints").iterdir()).unlink()  # the one that was written when it was left
    evaluation = evaluate(tmp_path / "run", 5)
    assert evaluation.source == "the checkpoint after episode 4"
    np.testing.assert_array_equal(evaluation.returns, evaluate(tmp_path / "short", 5).returns)


def test_a_run_is_evaluated_while_it_goes_on(tmp_path):
    """In the process of the run, and in another, which its lock does not keep from reading."""
    seen = []

    def look(event):
        if isinstance(event, Played):
            seen.append(event)
            if len(seen) == 5:
                here = evaluate(tmp_path, 3)
                command = [sys.executable, "-P", "-m", "nasdqn_fast", "evaluate", str(tmp_path), "--episodes", "3"]
                there = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                assert f"{here.returns.mean():.2f}" in there
                assert "3 episodes, network of the checkpoint after episode 4" in there

    train(**TINY | {"checkpoint_every": "2"}, out=tmp_path, progress=look)
    assert len(seen) == 6


def test_settings_of_the_environment_are_overridden(tmp_path):
    train(**TINY, env_param={"gravity": 5.0}, out=tmp_path)
    as_trained = evaluate(tmp_path, 5).returns
    assert evaluate(tmp_path, 5, max_episode_steps=4).returns.tolist() == [4.0] * 5
    np.testing.assert_array_equal(evaluate(tmp_path, 5, env_param={"gravity": 5.0}).returns, as_trained)
    assert not np.array_equal(evaluate(tmp_path, 5, env_param={"pole_mass": 9.0, "dt": 0.01}).returns, as_trained)
    with pytest.raises(InputError, match="start"):
        evaluate(tmp_path, 5, start="nowhere")
    with pytest.raises(ValueError, match=r"unknown network .first.: valid: best, last"):
        evaluate(tmp_path, 5, network="first")
