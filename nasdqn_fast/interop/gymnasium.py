"""The environments as Gymnasium's; importing this module, as `nasdqn_fast` does, registers their ids.

import gymnasium

env = gymnasium.make("nasdqn_fast:nasdqn_fast/InvertedPendulum-v0", start="hanging")
many = gymnasium.make_vec("nasdqn_fast:nasdqn_fast/CartPole-v1", 256, vectorization_mode="vector_entry_point")
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import register as register_id
from numpy.typing import ArrayLike

from nasdqn_fast import envs
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.errors import InputError
from nasdqn_fast.interop import rendering
from nasdqn_fast.validation import check_finite

Start = Callable[[np.ndarray, np.ndarray, np.ndarray], None]
_NONE = np.empty(0)  # uniforms of a step that draws nothing


def spaces(environment: envs.Environment) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Discrete]:
    """Of observations, and of actions."""
    box = gymnasium.spaces.Box(environment.observation_low, environment.observation_high, dtype=np.float32)
    return box, gymnasium.spaces.Discrete(environment.n_actions)


def starting(kernel: envs.EnvKernel, values: Mapping[str, float], options: Mapping[str, Any]) -> Start | None:
    """The function (uniforms, state, observation) that starts an episode as the options of ``reset`` say.

    Others than ``low`` and ``high`` are ignored, as by Gymnasium's environments.

    Returns:
        None without either: the environment's own.

    Raises:
        InputError: one of them is no number, or the environment does not start by such a range.
    """
    given = [name for name in ("low", "high") if name in options]
    if not given:
        return None
    if (known := kernel.start_range) is None:
        raise InputError(
            f"reset of {kernel.name} does not take {', '.join(map(repr, given))}; "
            "choose a start, or params, when making the environment"
        )
    low, high = known.default(values)
    try:
        low = check_finite("low", _scalar(options.get("low", low)))
        high = check_finite("high", _scalar(options.get("high", high)))
    except (TypeError, ValueError) as error:
        raise InputError(f"option of reset: {error}") from None
    if low > high:
        raise InputError(f"option of reset: low must not be above high, got {low} and {high}")
    return functools.partial(known.reset, low, high)


def _scalar(value: Any) -> Any:
    """The number in an array without dimensions, which Gymnasium takes for one, too."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


class KernelEnv(gymnasium.Env[np.ndarray, np.integer]):
    """An `EnvKernel`, compiled, as a Gymnasium environment.

    The initial state is drawn from ``np_random``, seeded by ``reset(seed=...)``. It can be pickled and copied, in the
    middle of an episode, too. The environment's parameters are attributes, to read and to set: ``env.gravity = 1.6``
    holds from the next step on.

    Args:
        env, start, params, max_episode_steps: see `nasdqn_fast.envs.make`. An `Environment` keeps its time limit.
            Episodes are truncated at it, unless `gymnasium.make` made this: then its TimeLimit wrapper does.
        render_mode: "rgb_array", "human", which shows every step on the screen, or None. Built-in environments only.

    Raises:
        InputError: unknown name, start or parameter, settings for an `Environment`, which has its own, a function
            that does not compile, or a render mode that there is not.
    """

    # What gymnasium.make asks the class; an instance knows what its own environment can do.
    metadata = {"render_modes": [*rendering.MODES], "render_fps": 50}  # noqa: RUF012, Gymnasium's own form

    def __init__(
        self,
        env: str | envs.EnvKernel | envs.Environment,
        start: str | None = None,
        params: Mapping[str, float] | None = None,
        max_episode_steps: int | None = None,
        *,
        render_mode: str | None = None,
    ) -> None:
        self.environment = envs.make_compiled(env, start=start, params=params, max_episode_steps=max_episode_steps)
        self.metadata = rendering.metadata(self.environment)
        self.observation_space, self.action_space = spaces(self.environment)
        self.render_mode = render_mode
        self._renderer = rendering.renderer(self.environment, render_mode)
        self._core = EnvironmentCore(self.environment)
        self._state: np.ndarray | None = None
        self._steps = 0
        self._ended = self._warned = False

    def __getattr__(self, name: str) -> float:
        """A parameter of the environment; called only for names that are no attribute."""
        if not self._is_parameter(name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self.environment.values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] != "_" and self._is_parameter(name):
            self._set_parameter(name, value)
        else:
            object.__setattr__(self, name, value)

    def _is_parameter(self, name: str) -> bool:
        environment = vars(self).get("environment")
        return environment is not None and name in environment.kernel.params and not hasattr(type(self), name)

    def _set_parameter(self, name: str, value: float) -> None:
        """Continues with another value; the machine code stays.

        Raises:
            InputError: a value that the environment refuses; nothing was changed.
        """
        self.environment = self.environment.changed(**{name: value})
        self.observation_space, _ = spaces(self.environment)
        self._core = EnvironmentCore(self.environment)
        if self._renderer is not None:
            self._renderer.show(self.environment)

    @property
    def state(self) -> np.ndarray | None:
        """The kernel's state, float64 (state_size,); None before the first reset. It can be set.

        Raises:
            InputError: a value of another size.
        """
        return self._state

    @state.setter
    def state(self, value: ArrayLike) -> None:
        state, size = np.array(value, np.float64), self.environment.kernel.state_size
        if state.shape != (size,):
            raise InputError(f"state must be {size} numbers, got shape {state.shape}")
        self._state = state

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: seeds ``np_random``; None continues it.
            options: ``{"low": ..., "high": ...}``, both or one of them, where Gymnasium's environment has these:
                bounds between which the initial state is drawn this time.

        Raises:
            InputError: either of them is no number, or is given to an environment that does not take it.
        """
        start = starting(self.environment.kernel, self.environment.values, options or {}) or self._core.reset
        super().reset(seed=seed)
        kernel = self.environment.kernel
        state, observation = np.zeros(kernel.state_size), np.zeros(kernel.observation_size, np.float32)
        start(self.np_random.random(kernel.reset_uniforms), state, observation)
        self._state, self._steps = state, 0
        self._ended = self._warned = False
        self._show()
        return observation, {}

    def step(self, action: np.integer) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One step.

        A step after the one that terminated the episode is answered, with one warning, and pays what Gymnasium's
        environment of that name pays.

        Raises:
            RuntimeError: before the first reset.
            StepError: the environment reported an error.
            TypeError, ValueError: no such action.
        """
        if self._state is None:
            raise RuntimeError("step was called before reset; call reset() first")
        kernel = self.environment.kernel
        state, observation = self._state.copy(), np.empty(kernel.observation_size, np.float32)
        uniforms = self.np_random.random(kernel.step_uniforms) if kernel.step_uniforms else _NONE
        reward, terminated = self._core.step(uniforms, state, action, observation)
        if self._ended:
            if terminated and kernel.reward_after_end is not None:
                reward = kernel.reward_after_end
            self._warn_of_the_end()
        # Past __setattr__, which takes a fifth of a step.
        vars(self).update(_state=state, _steps=self._steps + 1, _ended=self._ended or terminated)
        truncated = self.spec is None and self._steps >= self.environment.max_episode_steps
        self._show()
        return observation, reward, terminated, truncated, {}

    def render(self) -> np.ndarray | None:  # type: ignore[override]
        """The frame uint8 (height, width, 3) of the present state with render mode "rgb_array", else None.

        Raises:
            RuntimeError: before the first reset.
            DependencyNotInstalled: pygame is missing.
        """
        draw = rendering.ready(self._renderer, was_reset=self._state is not None)
        return None if draw is None or self._state is None else draw(self._state)

    def close(self) -> None:
        """Closes the window, if there is one."""
        if self._renderer is not None:
            self._renderer.close()

    def _show(self) -> None:
        if self.render_mode == "human":
            self.render()

    def _warn_of_the_end(self) -> None:
        if not self._warned:
            gymnasium.logger.warn(
                "step() was called after the episode had terminated; call reset() once step() has returned "
                "terminated = True: what further steps return means nothing",
                stacklevel=3,  # the caller of step
            )
        self._warned = True

    def __getstate__(self) -> dict[str, Any]:
        """Everything but addresses of machine code."""
        return {name: value for name, value in vars(self).items() if name not in ("_core", "_renderer")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._core = EnvironmentCore(self.environment)
        self._renderer = rendering.renderer(self.environment, self.render_mode)


def register() -> None:
    """Registers the built-in environments, as ``nasdqn_fast/CartPole-v1``; those already known are left alone."""
    for name, kernel in envs.built_in().items():
        env_id = f"{envs.NAMESPACE}/{kernel.gymnasium_id}"
        if kernel.gymnasium_id is not None and env_id not in gymnasium.registry:
            register_id(
                env_id,
                entry_point=f"{__name__}:{KernelEnv.__name__}",
                vector_entry_point="nasdqn_fast.interop.vector_env:KernelVectorEnv",
                max_episode_steps=kernel.max_episode_steps,
                reward_threshold=kernel.threshold,
                kwargs={"env": name},
            )


register()
