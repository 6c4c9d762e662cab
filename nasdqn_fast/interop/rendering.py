"""Frames of the built-in environments, drawn by Gymnasium's own classes at the kernel's state (extra ``[render]``)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from nasdqn_fast.envs import Environment
from nasdqn_fast.errors import InputError

MODES = ("human", "rgb_array")


@dataclass(frozen=True)
class _Drawing:
    """Which class of ``gymnasium.envs.classic_control`` draws an environment.

    Args:
        original: its name.
        fps: frames per second of that class, kept here so that it is imported only to draw.
        attributes: what it needs to know of the environment's parameters.
    """

    original: str
    fps: int
    attributes: Callable[[Mapping[str, float]], dict[str, float | None]]


# By the kernel's Gymnasium id.
_DRAWINGS = {
    "InvertedPendulum-v0": _Drawing("PendulumEnv", 30, lambda values: {"last_u": None}),
    "CartPole-v1": _Drawing(
        "CartPoleEnv", 50, lambda values: {"x_threshold": values["x_threshold"], "length": values["half_length"]}
    ),
    "Acrobot-v1": _Drawing("AcrobotEnv", 15, lambda values: {"LINK_LENGTH_1": values["length_1"]}),
    "MountainCar-v0": _Drawing(
        "MountainCarEnv",
        30,
        lambda values: {
            "min_position": values["left_wall"],
            "max_position": values["right_wall"],
            "goal_position": values["goal"],
        },
    ),
}


def metadata(environment: Environment, modes: Sequence[str] = MODES) -> dict[str, Any]:
    """Gymnasium's metadata: in which of the modes the environment can be rendered, and frames per second."""
    if environment.kernel.gymnasium_id not in _DRAWINGS:
        return {"render_modes": []}
    return {"render_modes": [*modes], "render_fps": _fps(environment)}


def _fps(environment: Environment) -> int:
    seconds = environment.values.get("dt")
    original = _DRAWINGS[str(environment.kernel.gymnasium_id)].fps
    # Acrobot's steps of 0.2 s are shown faster than they are, as Gymnasium shows them.
    return original if seconds is None else max(original, round(1 / seconds))


def _original(drawing: _Drawing) -> Any:
    return getattr(importlib.import_module("gymnasium.envs.classic_control"), drawing.original)


class Renderer:
    """Draws states of one environment.

    Args:
        environment: what is drawn.
        mode: one of `modes`.
        modes: render modes to choose from.

    Raises:
        InputError: another mode, or an environment that nothing here can draw.
    """

    def __init__(self, environment: Environment, mode: str, modes: Sequence[str] = MODES) -> None:
        known = metadata(environment, modes)["render_modes"]
        if not known:
            raise InputError(
                f"environment {environment.kernel.name} cannot be rendered: there is a drawing of the built-in "
                "environments only; leave render_mode out"
            )
        if mode not in known:
            raise InputError(f"render_mode must be {' or '.join(map(repr, known))}, got {mode!r}")
        self._canvas = _original(_DRAWINGS[str(environment.kernel.gymnasium_id)])(render_mode=mode)
        self.show(environment)

    def show(self, environment: Environment) -> None:
        """Draws with the parameters of this environment, which is another of the same kernel, from now on."""
        drawing = _DRAWINGS[str(environment.kernel.gymnasium_id)]
        self._canvas.metadata = {**self._canvas.metadata, "render_fps": _fps(environment)}
        for name, value in drawing.attributes(environment.values).items():
            setattr(self._canvas, name, value)

    def __call__(self, state: np.ndarray) -> np.ndarray | None:
        """The frame, uint8 (height, width, 3); or None, once it is on the screen.

        Raises:
            DependencyNotInstalled: pygame is missing.
        """
        self._canvas.state = tuple(state)
        try:
            frame: np.ndarray | None = self._canvas.render()
        except gymnasium.error.DependencyNotInstalled:
            raise gymnasium.error.DependencyNotInstalled(
                "rendering needs pygame; install it with pip install 'nasdqn-fast[render]'"
            ) from None
        return frame

    def close(self) -> None:
        """Closes the window, if there is one."""
        self._canvas.close()


def renderer(environment: Environment, mode: str | None, modes: Sequence[str] = MODES) -> Renderer | None:
    """The `Renderer` of a render mode; None for None."""
    return None if mode is None else Renderer(environment, mode, modes)


def ready(renderer: Renderer | None, *, was_reset: bool) -> Renderer | None:
    """What ``render`` draws with; None, with a warning, in an environment that was made without a render mode.

    Raises:
        RuntimeError: before the first reset.
    """
    if renderer is None:
        gymnasium.logger.warn("render() was called, but the environment was made without a render_mode", stacklevel=2)
    elif not was_reset:
        raise RuntimeError("render was called before reset; call reset() first")
    return renderer
