"""What an environment is: the code that its functions reach, and all that this refers to, whenever it is asked for."""

import copy
import dataclasses
import importlib
import sys
from types import ModuleType

import numba
import numpy as np
import pytest

from nasdqn_fast import DQNAgent, envs, optimal, resume, train
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.events import Played

SOURCE = """
from nasdqn_fast.envs.kernel import EnvKernel

BONUS = 1.0

def bonus():
    return BONUS

def reset(params, uniforms, state, obs):
    obs[0] = 0.0

def step(params, uniforms, state, action, obs, reward):
    obs[0] = 0.0
    reward[0] = bonus() + 1.0
    return 0

plugin = EnvKernel(reset, step, {}, state_size=1, observation_size=1, n_actions=2, observation_low=(0.0,),
                   observation_high=(0.0,), max_episode_steps=10)
"""


def cell(source=SOURCE):
    """Runs the source as a notebook does a cell: new functions every time."""
    module = ModuleType("their_cell")
    exec(source, vars(module))
    return module


def return_of(kernel, backend=DQNAgent):
    return backend(kernel, "1x4-relu", rng=0, replay_capacity=64).run_episodes(1).returns[0]


def batch_rewards(core):
    rewards = np.zeros(2)
    core.step_batch(
        np.zeros((2, 1)), np.zeros(2, int), np.zeros((2, 0)), np.zeros((2, 1), np.float32), rewards, np.zeros(2, "i4")
    )
    return rewards.tolist()


def step_reward(core):
    return core.step(np.empty(0), np.zeros(1), 0, np.zeros(1, np.float32))[0]


def test_changed_constant_counts_for_the_next_agent_and_not_for_this():
    module = cell()
    before = EnvironmentCore(module.plugin.bind())
    assert return_of(module.plugin) == 20
    module.BONUS = 5.0
    assert return_of(module.plugin) == 60
    after = EnvironmentCore(module.plugin.bind())
    assert (step_reward(before), step_reward(after)) == (2.0, 6.0)
    # The function for many at once is compiled later, but of the step as it was.
    assert (batch_rewards(before), batch_rewards(after)) == ([2.0, 2.0], [6.0, 6.0])


def test_a_loop_over_a_constant_plays_each_of_its_values_on_both_backends():
    from nasdqn_fast.reference.agent import DQNAgent as Twin

    module = cell()
    for value in (1.0, 5.0, 1.0):
        module.BONUS = value
        assert return_of(module.plugin) == return_of(module.plugin, Twin) == 10 * (value + 1)


def test_cell_run_again_is_the_same_environment_until_its_text_changes():
    first, again = cell(), cell()
    changed = cell(SOURCE.replace("BONUS = 1.0", "BONUS = 5.0"))
    assert first.plugin.bind().compiled() is again.plugin.bind().compiled()
    assert first.plugin.bind().compiled_lockstep() is again.plugin.bind().compiled_lockstep()
    assert return_of(changed.plugin) == 60


def test_helper_with_numbas_own_marker_is_compiled_anew_as_well():
    """The author's dispatcher keeps the globals of its first compilation: it has to be left alone."""
    module = cell(SOURCE.replace("def bonus", "import numba\n@numba.njit\ndef bonus"))
    assert module.bonus() == 1.0
    assert return_of(module.plugin) == 20
    module.BONUS = 5.0
    assert return_of(module.plugin) == 60
    assert module.bonus() == 1.0


def test_numbas_options_are_part_of_what_a_helper_is():
    marked = SOURCE.replace("def bonus", "import numba\n@numba.njit(OPTIONS)\ndef bonus")
    prints = [cell(marked.replace("OPTIONS", options)).plugin.fingerprint() for options in ("", "fastmath=True")]
    assert len({*prints, cell().plugin.fingerprint()}) == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def bonus(*, size=1.0):\n    return size", "def bonus(*, size=5.0):\n    return size"),
        (
            "from collections import namedtuple\nP = namedtuple('P', 'x y')(1.0, 2.0)\ndef bonus():\n    return P.x",
            "from collections import namedtuple\nP = namedtuple('P', 'y x')(1.0, 2.0)\ndef bonus():\n    return P.x",
        ),
        (
            "import numpy as np\nR = np.array([(1.0, 5.0)], [('x', 'f8'), ('y', 'f8')])\n"
            "def bonus():\n    return R[0].x",
            "import numpy as np\nR = np.array([(1.0, 5.0)], [('y', 'f8'), ('x', 'f8')])\n"
            "def bonus():\n    return R[0].x",
        ),
    ],
)
def test_fingerprint_sees(before, after):
    prints = {cell(SOURCE.replace("def bonus():\n    return BONUS", b)).plugin.fingerprint() for b in (before, after)}
    assert len(prints) == 2


def test_array_changed_in_place_counts():
    module = cell(
        "import numpy as np\n" + SOURCE.replace("BONUS = 1.0", "BONUS = np.ones(1)").replace("S\n\n", "S[0]\n\n")
    )
    before = EnvironmentCore(module.plugin.bind())
    module.BONUS[0] = 5.0
    after = EnvironmentCore(module.plugin.bind())
    assert (step_reward(before), step_reward(after)) == (2.0, 6.0)
    assert (batch_rewards(before), batch_rewards(after)) == ([2.0, 2.0], [6.0, 6.0])


def test_an_environment_copied_is_the_environment():
    pendulum = envs.make("inverted-pendulum")
    assert copy.deepcopy(pendulum).compiled() is pendulum.compiled()
    assert optimal.covers(copy.deepcopy(pendulum))
    assert not any(optimal.covers(envs.make(name)) for name in ("cartpole", "acrobot", "mountain-car"))


def test_checkpoint_names_the_code_that_ran(tmp_path, monkeypatch):
    """The constant is changed while the run is going on, which the run does not see, and the checkpoint neither."""
    (tmp_path / "their_constant.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("their_constant")

    def listener(event):
        if isinstance(event, Played):
            module.BONUS = 5.0
            if event.episodes.returns[-1] and listener.left == 0:
                raise KeyboardInterrupt
            listener.left -= 1

    listener.left = 2
    options = {"env": "their_constant:plugin", "episodes": 8, "switch_every": 2, "checkpoint_every": "1"}
    with pytest.raises(KeyboardInterrupt):
        train("fixed-small", **options, out=tmp_path / "run", progress=listener)
    with pytest.warns(UserWarning, match="the run was begun with environment [0-9a-f]+"):
        returns = resume(tmp_path / "run").episodes.returns
    done = np.count_nonzero(returns == 20)
    assert 0 < done < 8
    assert returns.tolist() == [20] * done + [60] * (8 - done)
    sys.modules.pop("their_constant")


def test_fingerprint_of_an_environment_sees_params_sizes_and_limit():
    kernel = envs.make("inverted-pendulum").kernel
    kernels = [kernel, dataclasses.replace(kernel, params={**kernel.params, "gravity": 1.6})]
    environments = [each.bind() for each in kernels]
    environments += [kernel.bind(start="hanging"), kernel.bind(max_episode_steps=3)]
    environments += [dataclasses.replace(kernel, n_actions=2).bind(), envs.make("cartpole")]
    prints = [environment.fingerprint() for environment in environments]
    assert len(set(prints)) == len(prints)
    assert kernel.bind().fingerprint() == copy.deepcopy(kernel.bind()).fingerprint() == prints[0]


def test_default_of_a_parameter_that_was_edited_is_told(tmp_path, monkeypatch):
    """It is not in the run's config, which names what was chosen."""
    (tmp_path / "their_default.py").write_text(SOURCE.replace("{}", '{"size": 1.0}'))
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("their_default")

    def listener(event):
        if isinstance(event, Played):
            raise KeyboardInterrupt

    options = {"env": "their_default:plugin", "episodes": 8, "switch_every": 2, "checkpoint_every": "1"}
    with pytest.raises(KeyboardInterrupt):
        train("fixed-small", **options, out=tmp_path / "run", progress=listener)
    module.plugin = dataclasses.replace(module.plugin, params={"size": 2.0})
    with pytest.warns(UserWarning, match=r"the run was begun with environment [0-9a-f]+"):
        resume(tmp_path / "run")
    sys.modules.pop("their_default")


def test_looking_an_environment_up_is_cheap():
    """Every agent does; a new agent takes some 500 us."""
    import timeit

    kernel = envs.make("inverted-pendulum").kernel
    kernel.fingerprint()
    assert min(timeit.repeat(kernel.fingerprint, number=20, repeat=5)) / 20 < 1e-3
    assert numba  # imported above, so that no import is timed
