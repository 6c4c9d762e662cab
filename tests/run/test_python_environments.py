"""Runs in environments stepped in Python: resumed, evaluated, interrupted. The oracle is the run left alone."""

import json
import pickle
import shutil
import signal
import textwrap

import gymnasium
import numpy as np
import pytest
from left_runs import contents, stopping_at

from nasdqn_fast import envs
from nasdqn_fast.cli import main
from nasdqn_fast.config import resolve
from nasdqn_fast.errors import InputError, NonFiniteError
from nasdqn_fast.events import Played
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.evaluation import evaluate

SMALL = {
    "method": "nas-dqn",
    "seed": 3,
    "episodes": 12,
    "switch_every": 3,
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu"],
    "controller_epsilon_start": 0.5,
    "warm_up": 30,
    "batch_size": 4,
    "replay_capacity": 300,
}
BACKENDS = pytest.mark.parametrize("backend", ["native", "numpy"])

# Raises once in a process, when FAIL_AT steps have been made in it.
MODULE = textwrap.dedent("""
    import gymnasium
    from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv

    steps, fail_at, error = 0, None, None


    class Lake(FrozenLakeEnv):
        def step(self, action):
            global steps
            steps += 1
            if steps == fail_at:
                raise error
            return super().step(action)


    def make(size=4):
        return gymnasium.wrappers.TimeLimit(Lake(map_name=f"{size}x{size}"), 40)


    made = make()
""")


@pytest.fixture
def lakes(tmp_path, monkeypatch):
    """The module, which a run directory can name."""
    (tmp_path / "lakes_of_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import lakes_of_test  # type: ignore[import-not-found]

    yield lakes_of_test
    del __import__("sys").modules["lakes_of_test"]


@pytest.mark.quick_only(backend="native")
@BACKENDS
@pytest.mark.parametrize("env", ["CartPole-v1", "lakes_of_test:make", "lakes_of_test:Lake"])
def test_a_run_left_between_episodes_is_resumed_to_the_bit(tmp_path, lakes, env, backend):
    settings = SMALL | {"env": env, "backend": backend, "max_episode_steps": 30}
    train(**settings, out=tmp_path / "whole")
    for episodes in (2, 7):
        train(**settings, out=tmp_path / f"{episodes}", progress=stopping_at(episodes, Played))
        resume(tmp_path / f"{episodes}")
        assert contents(tmp_path / f"{episodes}") == contents(tmp_path / "whole")


@pytest.mark.quick_only(num_envs=3)
@BACKENDS
@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("error", [ZeroDivisionError("mine"), ValueError("mine"), KeyboardInterrupt()])
def test_an_error_leaves_a_checkpoint_from_which_the_run_goes_on(tmp_path, lakes, error, num_envs, backend):
    lakes.fail_at, lakes.error = 50, error
    settings = SMALL | {"env": "lakes_of_test:make", "num_envs": num_envs, "checkpoint_every": "never"}
    with pytest.raises(type(error)) as raised:
        train(**settings, out=tmp_path / "run", backend=backend)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert 0 < summary["episodes"] < 12
    if not isinstance(error, KeyboardInterrupt):
        assert raised.value is error
        assert raised.traceback[-1].path.name == "lakes_of_test.py"
        assert "to go on: nasdqn-fast resume" in error.__notes__[-1]
    assert list((tmp_path / "run" / "checkpoints").glob("*.npz"))
    result = resume(tmp_path / "run")
    assert result.status == "finished"
    assert len(result.episodes) == 12


@BACKENDS
def test_an_evaluation_beside_training_changes_nothing_of_it(backend):
    settings = SMALL | {"env": "CartPole-v1", "backend": backend, "evaluate_episodes": 2}
    result, alone = train(**settings, evaluate_every=4), train(**settings)
    np.testing.assert_array_equal(result.episodes.returns, alone.episodes.returns)
    assert len(result.evaluations) == 3
    assert [s.score for s in result.segments] == [s.score for s in alone.segments]


def test_both_backends_count_the_same_episodes_of_several_environments():
    settings = SMALL | {"env": "FrozenLake-v1", "num_envs": 3, "warm_up": 10**6, "method": "fixed-small"}
    del settings["architectures"]
    native, plain = (train(**settings, backend=backend) for backend in ("native", "numpy"))
    assert [s.score for s in native.segments] == [s.score for s in plain.segments]
    np.testing.assert_array_equal(native.episodes.lengths, plain.episodes.lengths)


def test_the_directory_names_the_environment(tmp_path, lakes):
    for env, name in [
        ("CartPole-v1", "CartPole-v1"),
        (gymnasium.make("CartPole-v1"), "object:CartPole-v1"),
        (gymnasium.make("nasdqn_fast/CartPole-v1"), "object:nasdqn_fast/CartPole-v1"),
        ("lakes_of_test:make", "lakes_of_test:make"),
        (lakes.make, "lakes_of_test:make"),
        (lakes.Lake, "lakes_of_test:Lake"),
        (lakes.made, "object:Lake"),
    ]:
        out = tmp_path / str(len(list(tmp_path.iterdir())))
        train(**SMALL | {"env": env, "episodes": 3}, max_episode_steps=50, out=out)
        assert f'name = "{name}"' in (out / "config.toml").read_text()
        if not name.startswith("object:"):
            assert evaluate(out, 2).returns.shape == (2,)


def test_an_object_without_a_name_is_to_be_passed_again(tmp_path, lakes):
    settings = SMALL | {"max_episode_steps": 30}
    train(**settings, env=lakes.made, out=tmp_path / "whole")
    train(**settings, env=lakes.made, out=tmp_path / "run", progress=stopping_at(5, Played))
    for refused in (resume, evaluate):
        with pytest.raises(InputError, match=r"was an object, Lake, .*: resume\(run, env=") as error:
            refused(tmp_path / "run")
        assert "\n" not in str(error.value)
    assert evaluate(tmp_path / "run", 2, env=lakes.made).returns.shape == (2,)
    resume(tmp_path / "run", env=lakes.made)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


@BACKENDS
def test_a_signal_during_a_step_saves_the_run_in_the_middle_of_an_episode(tmp_path, backend):
    class Signalling(gymnasium.Wrapper):
        def step(self, action):
            self.steps = getattr(self, "steps", 0) + 1
            if self.steps == 70:
                signal.raise_signal(signal.SIGINT)
            return self.env.step(action)

    env = Signalling(gymnasium.make("CartPole-v1"))
    with pytest.raises(KeyboardInterrupt, match=r"interrupted after . episodes; to go on: nasdqn-fast resume"):
        train(**SMALL, env=env, backend=backend, checkpoint_every="never", out=tmp_path / "run")
    assert env.steps == 70
    assert len(resume(tmp_path / "run", env=env).episodes) == 12


@pytest.mark.parametrize("env_id", ["CartPole-v1", "nasdqn_fast/CartPole-v1"])
def test_an_object_that_was_changed_is_resumed_as_it_was_changed(tmp_path, env_id):
    """Its id would make another one, and of the package's own ids a compiled one."""

    def changed():
        env = gymnasium.make(env_id)
        env.unwrapped.gravity = 20.0
        return env

    train(**SMALL, env=changed(), out=tmp_path / "whole")
    train(**SMALL, env=changed(), out=tmp_path / "run", progress=stopping_at(5, Played))
    for refused in (resume, evaluate):
        with pytest.raises(InputError, match=f"was an object, {env_id}, ") as error:
            refused(tmp_path / "run")
        assert "\n" not in str(error.value)
    resume(tmp_path / "run", env=changed())
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_a_function_without_a_name_is_refused_with_a_directory(tmp_path):
    with pytest.raises(InputError, match="is no attribute of a module"):
        train(**SMALL, env=lambda: gymnasium.make("CartPole-v1"), out=tmp_path / "run")


def test_the_threshold_is_that_of_the_id():
    with pytest.raises(InputError, match="stop_at_threshold needs an environment with a threshold"):
        train(**SMALL, env=gymnasium.make("CliffWalking-v1"), stop_at_threshold=True)
    result = train(**SMALL, env="CartPole-v1", stop_at_threshold=True)
    assert result.environment.kernel.threshold == 475


def test_results_and_configs_are_pickled():
    result = train(**SMALL, env="CartPole-v1")
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.episodes.returns, result.episodes.returns)
    assert again.environment.fingerprint() == result.environment.fingerprint()
    config = resolve(None, {"env": gymnasium.make("CartPole-v1")})
    assert pickle.loads(pickle.dumps(config)).env.name.name == "CartPole-v1"


def run_command(tmp_path, monkeypatch, *arguments):
    monkeypatch.chdir(tmp_path)
    small = [f"--{name.replace('_', '-')}={value}" for name, value in SMALL.items() if name != "architectures"]
    return main(["train", *small, "--architectures", "1x4-relu,5,3-tanh", *arguments])


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ("CartPole-v1", "CartPole-v1"),
        ("nasdqn_fast:nasdqn_fast/InvertedPendulum-v0", "nasdqn_fast-nasdqn_fast-InvertedPendulum-v0"),
        ("lakes_of_test:Lake", "lakes_of_test-Lake"),
    ],
)
def test_the_command_trains_resumes_and_evaluates(tmp_path, monkeypatch, capsys, lakes, env, folder):
    assert run_command(tmp_path, monkeypatch, "--env", env, "--max-episode-steps", "40") == 0
    run = tmp_path / "runs" / f"nas-dqn-{folder}-seed3"
    capsys.readouterr()
    assert main(["evaluate", str(run), "--episodes", "2"]) == 0
    assert main(["resume", str(run), "--episodes", "15"]) == 0
    assert json.loads((run / "summary.json").read_text())["episodes"] == 15
    shutil.rmtree(tmp_path / "runs")


@pytest.mark.parametrize("env", ["Pendulum-v1", "NoSuchThing-v0", "no_such_module_:Thing-v0", "math:pi"])
def test_the_command_refuses_in_one_line(tmp_path, monkeypatch, capsys, env):
    assert run_command(tmp_path, monkeypatch, "--env", env) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_nan_of_an_environment_is_one_line_with_its_name(tmp_path):
    class Broken(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-1, 1, (1,))
        action_space = gymnasium.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            return np.zeros(1, np.float32), {}

        def step(self, action):
            return np.full(1, np.nan), 0.0, False, False, {}

    with pytest.raises(NonFiniteError, match="the environment Broken returned it"):
        train(**SMALL, env=Broken())


def test_an_object_found_again_by_a_name_is_the_environment_that_the_run_was_begun_with(tmp_path, lakes, recwarn):
    train(**SMALL | {"env": lakes.make, "episodes": 3}, out=tmp_path / "run")
    assert envs.make(lakes.make).fingerprint() == envs.make("lakes_of_test:make").fingerprint()
    resume(tmp_path / "run", episodes=5)
    assert not [warning for warning in recwarn if "begun with" in str(warning.message)]
