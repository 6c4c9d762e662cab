"""Frames of the built-in environments, drawn by Gymnasium's own classes at the kernel's state (extra ``[render]``)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from nasdqn_fast.envs import Environment
from nasdqn_fast.errors import InputError

MODES = ["human", "rgb_array"]


@dataclass(frozen=True)
class _Drawing:
    """Which class of ``gymnasium.envs.classic_control`` draws an environment.

    Args:
        original: its name.
        attributes: what it needs to know of the environment's parameters.
    """

    original: str
    attributes: Callable[[Mapping[str, float]], dict[str, float | None]]


# By the kernel's Gymnasium id.
_DRAWINGS = {
    "InvertedPendulum-v0": _Drawing("PendulumEnv", lambda values: {"last_u": None}),
    "CartPole-v1": _Drawing(
        "CartPoleEnv", lambda values: {"x_threshold": values["x_threshold"], "length": values["half_length"]}
    ),
    "Acrobot-v1": _Drawing("AcrobotEnv", lambda values: {"LINK_LENGTH_1": values["length_1"]}),
    "MountainCar-v0": _Drawing(
        "MountainCarEnv",
        lambda values: {
            "min_position": values["left_wall"],
            "max_position": values["right_wall"],
            "goal_position": values["goal"],
        },
    ),
}


def metadata(environment: Environment) -> dict[str, Any]:
    """Gymnasium's metadata: how the environment can be rendered, and frames per second."""
    if environment.kernel.gymnasium_id not in _DRAWINGS:
        return {"render_modes": []}
    return {"render_modes": [*MODES], "render_fps": _fps(environment)}


def _fps(environment: Environment) -> int:
    seconds = environment.values.get("dt")
    original = _original(_DRAWINGS[str(environment.kernel.gymnasium_id)]).metadata["render_fps"]
    # Acrobot's steps of 0.2 s are shown faster than they are, as Gymnasium shows them.
    return int(original if seconds is None else max(original, round(1 / seconds)))


def _original(drawing: _Drawing) -> Any:
    return getattr(importlib.import_module("gymnasium.envs.classic_control"), drawing.original)


class Renderer:
    """Draws states of one environment.

    Args:
        environment: what is drawn.
        mode: "rgb_array" or "human".

    Raises:
        InputError: an unknown mode, or an environment that nothing here can draw.
    """

    def __init__(self, environment: Environment, mode: str) -> None:
        known = metadata(environment)["render_modes"]
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
