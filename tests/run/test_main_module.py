"""Plug-ins that a script or a notebook defines: ``__main__:plugin``, or the objects themselves."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
import numpy as np
from nasdqn_fast import EnvKernel, evaluate, resume, train
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.envs.kernel import TERMINATED
from nasdqn_fast.events import Played
from nasdqn_fast.types import Proposal

def reset(params, uniforms, state, obs):
    state[0] = uniforms[0]
    obs[0] = state[0]

def step(params, uniforms, state, action, obs, reward):
    state[0] += params[0] * (2 * action - 1)
    obs[0] = state[0]
    reward[0] = 1.0
    return TERMINATED if abs(state[0]) > 1.0 else 0

plugin = EnvKernel(
    reset, step, {"stride": 0.3}, state_size=1, observation_size=1, n_actions=2, reset_uniforms=1, max_episode_steps=9,
    observation_low=lambda params: np.array([-2.0], np.float32),
    observation_high=lambda params: np.array([2.0], np.float32),
)

class Mine(Controller):
    def propose(self):
        return Proposal(self.space[0], "mine")

if __name__ == "__main__":
    names = {"names": ("__main__:Mine", "__main__:plugin"), "objects": (Mine, plugin)}
    for how, (method, env) in names.items():
        def stop(event):
            seen.append(event)
            if sum(isinstance(e, Played) for e in seen) == 3:
                raise KeyboardInterrupt
        seen, options = [], {"episodes": 8, "switch_every": 4, "warm_up": 10, "architectures": ["1x4-relu"]}
        whole = train(method, env, **options)
        try:
            train(method, env, **options, out=how, progress=stop)
        except KeyboardInterrupt:
            pass
        np.testing.assert_array_equal(resume(how).episodes.returns, whole.episodes.returns)
        print(how, evaluate(how, 2).returns.mean() > 0)
"""


@pytest.fixture
def script(tmp_path):
    (tmp_path / "study.py").write_text(SCRIPT)
    return tmp_path


def test_a_scripts_own_plug_ins_are_named_or_given(script):
    process = subprocess.run([sys.executable, "study.py"], cwd=script, capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (0, "names True\nobjects True\n"), process.stderr
    written = [(script / how / "config.toml").read_text() for how in ("names", "objects")]
    assert written[0] == written[1]
    assert 'name = "__main__:plugin"' in written[0]


def test_elsewhere_the_command_says_what_to_do(script):
    subprocess.run([sys.executable, "study.py"], cwd=script, capture_output=True, check=True)
    command = [sys.executable, "-m", "nasdqn_fast", "evaluate", "names"]
    process = subprocess.run(command, cwd=script, capture_output=True, text=True)
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert "it was defined in a script or a notebook: define it there again" in process.stderr


@pytest.mark.parametrize("page", ["environments", "controllers"])
def test_the_docs_say_so(page):
    assert '"__main__:' in (Path(__file__).parents[2] / "docs" / f"{page}.md").read_text(encoding="utf-8")
