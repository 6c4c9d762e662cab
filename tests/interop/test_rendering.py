"""Frames; oracle: Gymnasium's own frames of the same state."""

import dataclasses
import pickle
import subprocess
import sys

import gymnasium
import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast.errors import InputError
from nasdqn_fast.interop import rendering
from nasdqn_fast.interop.gymnasium import KernelEnv
from nasdqn_fast.interop.vector_env import KernelVectorEnv

pytest.importorskip("pygame", reason="the extra [render] is not installed")
ORIGINALS = ["CartPole-v1", "Acrobot-v1", "MountainCar-v0"]


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.mark.parametrize("name", ORIGINALS)
def test_a_frame_is_gymnasiums(name):
    pair = [gymnasium.make(prefix + name, render_mode="rgb_array") for prefix in ("nasdqn_fast/", "")]
    for env in pair:
        env.reset(seed=3)
        for _ in range(5):
            env.step(1)
    ours, theirs = (env.render() for env in pair)
    assert ours.dtype == np.uint8
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("drawing", rendering._DRAWINGS.values(), ids=lambda drawing: drawing.original)
def test_frames_per_second_are_those_of_gymnasiums_class(drawing):
    assert drawing.fps == rendering._original(drawing).metadata["render_fps"]


def test_gymnasiums_classes_are_imported_only_to_draw(tmp_path):
    code = (
        "import sys; from nasdqn_fast.interop.gymnasium import KernelEnv; KernelEnv('cartpole').reset(seed=0)\n"
        "print('gymnasium.envs.classic_control' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert finished.stdout == "False\n"


def test_a_parameter_that_is_set_is_drawn_by_the_same_renderer():
    """Oracle: the frames of an environment that was made with that value."""
    env = KernelVectorEnv("cartpole", 2, render_mode="rgb_array")
    made = KernelVectorEnv("cartpole", 2, params={"half_length": 1.0}, render_mode="rgb_array")
    for one in (env, made):
        one.reset(seed=0)
    before, shorter = env._renderer, env.render()
    env.set_attr("half_length", 1.0)
    longer = env.render()
    assert not np.array_equal(longer, shorter)
    np.testing.assert_array_equal(longer, made.render())
    assert env._renderer is before  # and not one more surface, which nothing would close
    env.close()
    made.close()


def test_the_pendulum_is_drawn_where_it_is():
    env = gymnasium.make("nasdqn_fast/InvertedPendulum-v0", render_mode="rgb_array", start="hanging")
    env.reset(seed=0)
    hanging = env.render()
    env.unwrapped.state = [0.0, 0.0, 1.0, 0.0]
    upright = env.render()
    red = [np.argwhere((frame[..., 0] > 150) & (frame[..., 1] < 100)).mean(axis=0) for frame in (hanging, upright)]
    middle = hanging.shape[0] / 2
    assert red[0][0] > middle > red[1][0]  # rows are counted from the top
    assert red[0][1] == pytest.approx(middle, abs=5)


def test_parameters_are_drawn():
    frames = []
    for length in (0.5, 1.0):
        env = KernelEnv("cartpole", params={"half_length": length}, render_mode="rgb_array")
        env.reset(seed=0)
        frames.append(env.render())
    pole = [np.all(frame == [202, 152, 101], axis=-1).sum() for frame in frames]
    assert pole[1] > 1.5 * pole[0]


def test_human_mode_shows_every_step():
    env = gymnasium.make("nasdqn_fast/CartPole-v1", render_mode="human")
    env.reset(seed=0)
    env.step(0)
    assert env.render() is None
    env.close()


def test_a_list_of_frames_is_gymnasiums_wrapper():
    env = gymnasium.make("nasdqn_fast/MountainCar-v0", render_mode="rgb_array_list")
    env.reset(seed=0)
    env.step(0)
    assert len(env.render()) == 2


def test_every_row_of_a_vector_has_its_frame():
    env = gymnasium.make_vec("nasdqn_fast/CartPole-v1", 2, render_mode="rgb_array")
    env.reset(seed=0)
    single = KernelEnv("cartpole", render_mode="rgb_array")
    single.reset(seed=1)
    frames = env.render()
    assert len(frames) == 2
    np.testing.assert_array_equal(frames[1], single.render())
    env.close()


def test_a_pickled_environment_renders():
    env = KernelEnv("acrobot", render_mode="rgb_array")
    env.reset(seed=0)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(env)).render(), env.render())


def test_without_a_render_mode_there_is_a_warning_and_no_frame():
    for env in (KernelEnv("cartpole"), KernelVectorEnv("cartpole", 2)):
        env.reset(seed=0)
        with pytest.warns(UserWarning, match="made without a render_mode"):
            assert env.render() is None


@pytest.mark.parametrize("kind", [KernelEnv, KernelVectorEnv])
def test_render_before_reset_says_what_to_do(kind):
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        kind("cartpole", render_mode="rgb_array").render()


def test_environments_without_a_drawing_and_unknown_modes_are_refused():
    of_a_user = dataclasses.replace(envs.make("cartpole").kernel, gymnasium_id=None)
    assert KernelEnv(of_a_user).metadata["render_modes"] == []
    with pytest.raises(InputError, match="cannot be rendered"):
        KernelEnv(of_a_user, render_mode="rgb_array")
    with pytest.raises(InputError, match="render_mode must be 'human' or 'rgb_array', got 'ascii'"):
        KernelEnv("cartpole", render_mode="ascii")
    with pytest.raises(InputError, match="render_mode must be 'rgb_array', got 'human'"):
        KernelVectorEnv("cartpole", 2, render_mode="human")


def test_a_missing_pygame_is_named_with_the_extra(monkeypatch):
    env = KernelEnv("cartpole", render_mode="rgb_array")
    env.reset(seed=0)
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(gymnasium.error.DependencyNotInstalled, match=r"nasdqn-fast\[render\]"):
        env.render()
