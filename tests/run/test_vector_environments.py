"""Runs in vector environments of Gymnasium. The oracle is the same run in as many single environments."""

import json
import textwrap

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from left_runs import stopping_at

from nasdqn_fast.cli import main
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Played
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.evaluation import evaluate

SMALL = {
    "method": "nas-dqn",
    "seed": 3,
    "episodes": 12,
    "switch_every": 4,
    "architectures": ["1x4-relu", "5,3-tanh"],
    "warm_up": 30,
    "batch_size": 4,
    "replay_capacity": 300,
}
BACKENDS = pytest.mark.parametrize("backend", ["native", "numpy"])

MODULE = textwrap.dedent("""
    import copy

    import gymnasium
    from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
    from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv


    class Failing:
        steps, fail_at, copies_fail, is_copy = 0, None, False, False

        def step(self, action):
            Failing.steps += 1
            if Failing.steps == Failing.fail_at or (self.is_copy and Failing.copies_fail):
                raise ZeroDivisionError("mine")
            return super().step(action)

        def __deepcopy__(self, memo):
            other = type(self)()
            vars(other).update(copy.deepcopy(vars(self), memo), is_copy=True)
            return other


    class Poles(Failing, CartPoleVectorEnv):
        pass


    class Lake(Failing, FrozenLakeEnv):
        pass


    def make(rows=3):
        return Poles(rows, max_episode_steps=40)


    def lake():
        return gymnasium.wrappers.TimeLimit(FrozenLakeEnv(), 40)
""")


@pytest.fixture
def poles(tmp_path, monkeypatch):
    """The module, which a run directory can name."""
    (tmp_path / "poles_of_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    import poles_of_test  # type: ignore[import-not-found]

    yield poles_of_test
    del __import__("sys").modules["poles_of_test"]


def rows_of(make, mode=AutoresetMode.DISABLED):
    return SyncVectorEnv([make] * 3, autoreset_mode=mode)


@BACKENDS
@pytest.mark.parametrize("mode", [AutoresetMode.DISABLED, AutoresetMode.SAME_STEP], ids=lambda mode: mode.value)
def test_a_run_in_rows_is_the_run_in_as_many_environments(poles, backend, mode):
    settings = SMALL | {"backend": backend, "evaluate_every": 4, "evaluate_episodes": 2}
    rows, alone = (
        train(**settings, env=env, num_envs=n) for env, n in [(rows_of(poles.lake, mode), None), (poles.lake, 3)]
    )
    np.testing.assert_array_equal(rows.episodes.returns, alone.episodes.returns)
    assert [s.score for s in rows.segments] == [s.score for s in alone.segments]
    assert [e.mean for e in rows.evaluations] == [e.mean for e in alone.evaluations]
    np.testing.assert_array_equal(rows.network.parameters, alone.network.parameters)


@pytest.mark.quick_only(backend="native")
@BACKENDS
@pytest.mark.parametrize("env", ["CartPole-v1", "poles_of_test:make"])
def test_an_id_and_a_function_are_trained_resumed_and_evaluated(tmp_path, poles, env, backend):
    settings = SMALL | {"env": env, "backend": backend, "evaluate_every": 6}
    if env == "CartPole-v1":
        settings["num_envs"] = 3
    for name in ("a", "b"):
        train(**settings, out=tmp_path / name, progress=stopping_at(5, Played))
        assert "num_envs = 3" in (tmp_path / name / "config.toml").read_text()
        assert len(resume(tmp_path / name).episodes) == 12
        assert evaluate(tmp_path / name, 2).returns.shape == (2,)
    episodes = [(tmp_path / name / "episodes.csv").read_bytes() for name in ("a", "b")]
    assert episodes[0] == episodes[1]


@BACKENDS
def test_an_error_leaves_a_checkpoint_from_which_the_run_goes_on(tmp_path, poles, backend):
    poles.Failing.fail_at = 60
    settings = SMALL | {"env": "poles_of_test:make", "checkpoint_every": "never", "backend": backend}
    with pytest.raises(ZeroDivisionError, match="mine") as raised:
        train(**settings, out=tmp_path / "run")
    assert raised.traceback[-1].path.name == "poles_of_test.py"
    assert "to go on: nasdqn-fast resume" in raised.value.__notes__[-1]
    assert 0 < json.loads((tmp_path / "run" / "summary.json").read_text())["episodes"] < 12
    assert len(resume(tmp_path / "run").episodes) == 12


@BACKENDS
@pytest.mark.parametrize("env", ["poles_of_test:make", "poles_of_test:Lake"])
def test_an_error_at_the_end_of_a_segment_leaves_a_run_that_goes_on(tmp_path, poles, backend, env):
    """In a copy, on which the episodes that have begun are played to their end; resumed, they begin again."""
    poles.Failing.copies_fail = True
    with pytest.raises(ZeroDivisionError):
        train(**SMALL, env=env, num_envs=3, backend=backend, out=tmp_path / "run")
    poles.Failing.copies_fail = False
    assert len(resume(tmp_path / "run").episodes) == 12


def test_an_object_is_to_be_passed_again(tmp_path):
    vector = gymnasium.make_vec("CartPole-v1", 3)
    train(**SMALL, env=vector, out=tmp_path / "run", progress=stopping_at(5, Played))
    assert 'name = "object:CartPole-v1"' in (tmp_path / "run" / "config.toml").read_text()
    for refused in (resume, evaluate):
        with pytest.raises(InputError, match=r"was an object, CartPole-v1, .*: resume\(run, env="):
            refused(tmp_path / "run")
    assert evaluate(tmp_path / "run", 2, env=vector).returns.shape == (2,)
    assert len(resume(tmp_path / "run", env=vector).episodes) == 12


def test_rows_in_other_processes_are_trained_in_and_others_are_made_for_evaluations():
    vector = gymnasium.make_vec("CartPole-v1", 2, vectorization_mode="async")
    try:
        result = train(**SMALL, env=vector, evaluate_every=6, evaluate_episodes=2)
        assert (len(result.episodes), len(result.segments), len(result.evaluations)) == (12, 3, 2)
        vector.reset()
        vector.step(np.zeros(2, int))  # it is whole
    finally:
        vector.close()


def test_another_number_of_environments_is_refused_in_one_line(tmp_path, monkeypatch, capsys, poles):
    with pytest.raises(
        InputError, match="num_envs must be 3, the rows of the vector environment; got 2; leave"
    ) as error:
        train(**SMALL, env="poles_of_test:make", num_envs=2)
    assert "\n" not in str(error.value)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--env", "poles_of_test:make", "--num-envs", "2", "--episodes", "3"]) == 2
    assert "--num-envs must be 3" in capsys.readouterr().err


def test_steps_are_a_multiple_of_the_rows(poles):
    with pytest.raises(InputError, match=r"steps must be a multiple of num_envs \(3\); got 100"):
        train(**SMALL, env="poles_of_test:make", steps=100)


def test_the_command_trains_in_a_vector_environment(tmp_path, monkeypatch, poles):
    monkeypatch.chdir(tmp_path)
    arguments = ["--env", "poles_of_test:make", "--env-param", "rows=2", "--method", "fixed-small", "--episodes", "3"]
    assert main(["train", *arguments, "--out", "run"]) == 0
    assert "num_envs = 2" in (tmp_path / "run" / "config.toml").read_text()
