"""Many copies of a compiled environment in one, under Gymnasium's vector interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike

from nasdqn_fast import envs
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast._core.vector_env import VectorEnvCore
from nasdqn_fast.errors import InputError
from nasdqn_fast.interop import rendering
from nasdqn_fast.interop.gymnasium import spaces, starting
from nasdqn_fast.validation import check_positive_int

_MODES = ["rgb_array"]  # of those that there are: a screen shows one environment


class KernelVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """n copies of an `EnvKernel`, stepped by one call of compiled code.

    Row k is the `KernelEnv` of its seed, to the bit, with a generator of its own. It can be pickled and copied.

    Args:
        env, start, params, max_episode_steps: see `nasdqn_fast.envs.make`.
        num_envs: rows.
        autoreset_mode: when a row whose episode has ended is reset: by the next step, by the same, or by the caller's
            ``reset(options={"reset_mask": ...})``; a `gymnasium.vector.AutoresetMode`, or its value.
        copy: whether observations are returned in new arrays. If not, the next step or reset writes over them.
        render_mode: "rgb_array", or None. Built-in environments only.

    Raises:
        InputError: as `KernelEnv`; or an autoreset mode that there is not.
    """

    metadata = {"render_modes": [*_MODES], "render_fps": 50}  # noqa: RUF012, Gymnasium's own form

    def __init__(
        self,
        env: str | envs.EnvKernel | envs.Environment,
        num_envs: int = 1,
        start: str | None = None,
        params: Mapping[str, float] | None = None,
        max_episode_steps: int | None = None,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        render_mode: str | None = None,
    ) -> None:
        self.environment = envs.make_compiled(env, start=start, params=params, max_episode_steps=max_episode_steps)
        self.num_envs, self.copy = check_positive_int("num_envs", num_envs), copy
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError:
            modes = ", ".join(repr(mode.value) for mode in AutoresetMode)
            raise InputError(f"autoreset_mode must be one of {modes}, got {autoreset_mode!r}") from None
        self.metadata = {**rendering.metadata(self.environment, _MODES), "autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self._renderer = rendering.renderer(self.environment, render_mode, _MODES)
        self.single_observation_space, self.single_action_space = spaces(self.environment)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._seeds: list[int | None] = [None] * self.num_envs
        self._started = False
        self._core = self._make_core()

    def _make_core(self) -> VectorEnvCore:
        return VectorEnvCore(EnvironmentCore(self.environment), self.num_envs, self.autoreset_mode.value, self.copy)

    @property
    def state(self) -> np.ndarray | None:
        """The kernels' states, float64 (state_size, n), a column a row; None before the first reset. It can be set.

        Raises:
            InputError: a value of another shape.
        """
        return self._core.states.T if self._started else None

    @state.setter
    def state(self, value: ArrayLike) -> None:
        states, shape = np.array(value, np.float64), (self.environment.kernel.state_size, self.num_envs)
        if states.shape != shape:
            raise InputError(f"state must be numbers of shape {shape}, got shape {states.shape}")
        self._core.set_states(states.T)

    @property
    def prev_done(self) -> np.ndarray:
        """Bool (n,): rows whose episode has ended and that have not been reset; as of Gymnasium's CartPoleVectorEnv."""
        return np.array(self._core.ended, bool)

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """What the attribute of this name is in each row, as of SyncVectorEnv.

        Args:
            name: ``state``, ``np_random`` or ``np_random_seed``, which each row has its own; ``render``, the frames; a
                parameter of the environment, ``render_mode``, ``spec`` or ``environment``, which all rows share.
            *args, **kwargs: of a method; ``render`` takes none.

        Raises:
            AttributeError: another name.
        """
        if name == "render":
            frames = self.render(*args, **kwargs)
            return (None,) * self.num_envs if frames is None else frames
        if name == "state":
            return tuple(self._core.states.copy()) if self._started else (None,) * self.num_envs
        if name in ("np_random", "np_random_seed"):
            return tuple(getattr(self, name))
        if name in self.environment.kernel.params:
            return (self.environment.values[name],) * self.num_envs
        if name in ("render_mode", "spec", "environment"):
            return (getattr(self, name),) * self.num_envs
        raise AttributeError(f"the rows of {type(self).__name__} have no attribute {name!r}")

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """`call`, of an attribute that is no method."""
        return self.call(name)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets a parameter of the environment, from the next step on, or the rows' states.

        Args:
            name: a parameter, or ``state``.
            values: one value, or a list or tuple of one for each row. Rows share their parameters: these must be equal.

        Raises:
            InputError: not n values, different ones of a parameter, or one that the environment refuses.
            AttributeError: another name.
        """
        rows = list(values) if isinstance(values, list | tuple) else [values] * self.num_envs
        if len(rows) != self.num_envs:
            raise InputError(f"values must be one, or one for each of the {self.num_envs} rows, got {len(rows)}")
        if name == "state":
            self.state = np.array(rows, np.float64).T
        elif name not in self.environment.kernel.params:
            raise AttributeError(f"the rows of {type(self).__name__} have no attribute {name!r} that can be set")
        elif any(value is not rows[0] and value != rows[0] for value in rows):
            raise InputError(f"rows share the parameter {name}; for different values use SyncVectorEnv over KernelEnv")
        else:
            self.environment = self.environment.changed(**{name: rows[0]})
            self.single_observation_space, _ = spaces(self.environment)
            self.observation_space = batch_space(self.single_observation_space, self.num_envs)
            self._restore(self._rows())
            if self._renderer is not None:
                self._renderer.show(self.environment)

    @property  # type: ignore[misc]  # there it can be set, too; here each row has one of its own
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The rows' generators."""
        self._seed_missing()
        return tuple(generator for generator in self._core.generators if generator is not None)

    @property
    def np_random_seed(self) -> tuple[int | None, ...]:  # type: ignore[override]
        """The rows' seeds."""
        self._seed_missing()
        return tuple(self._seeds)

    def _seed(self, row: int, seed: int | None) -> None:
        generator, self._seeds[row] = seeding.np_random(seed)
        self._core.set_generator(row, generator)

    def _seed_missing(self) -> None:
        for row, generator in enumerate(self._core.generators):
            if generator is None:
                self._seed(row, None)

    def reset(  # type: ignore[override]
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode in every row, or in some.

        Args:
            seed: of row k ``seed + k``, or one for each; None, also for a row, continues its generator.
            options: ``"reset_mask"`` bool (n,): which rows; the others keep their episodes. Others as
                `KernelEnv.reset`'s.

        Returns:
            observations float32 (n, observation_size), and an empty dictionary.

        Raises:
            ValueError, TypeError: not n seeds; a mask of another shape or type, or of no row.
            InputError: ``low`` or ``high`` for an environment that does not take them.
        """
        seeds = _seeds(seed, self.num_envs)
        options = dict(options or {})
        mask = options.pop("reset_mask") if "reset_mask" in options else np.ones(self.num_envs, bool)
        _check_mask(mask, self.num_envs)
        start = starting(self.environment.kernel, self.environment.values, options)
        rows = np.flatnonzero(mask).tolist()
        for row in rows:
            if seeds[row] is not None or self._core.generators[row] is None:
                self._seed(row, seeds[row])
        if not self._started:  # rows left out of the first reset begin with it, too
            self._seed_missing()
            self._core.reset(row for row in range(self.num_envs) if not mask[row])
        observations = self._core.reset(rows, start)
        self._started = True
        return observations, {}

    def step(self, actions: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step of every row.

        Args:
            actions: integers (n,).

        Returns:
            observations float32 (n, observation_size), rewards float64 (n,), terminations and truncations bool (n,),
            and infos: with autoreset in the same step ``"final_obs"`` and ``"final_info"`` of the rows that ended, as
            Gymnasium's SyncVectorEnv has them.

        Raises:
            RuntimeError: before the first reset.
            AssertionError: without autoreset, if a row has ended and was not reset.
            TypeError, ValueError: no such action, or not n.
            StepError: the environment reported an error.
        """
        if not self._started:
            raise RuntimeError("step was called before reset; call reset() first")
        if self.autoreset_mode is AutoresetMode.DISABLED and self._core.ended.any():
            raise AssertionError(
                f"rows {np.flatnonzero(self._core.ended).tolist()} have ended; reset them with "
                'reset(options={"reset_mask": terminations | truncations})'
            )
        array = np.asarray(actions)
        if array.ndim == 0:
            raise TypeError(f"actions must be {self.num_envs} integers, got {actions!r}")
        observations, rewards, terminations, truncations, last = self._core.step(array)
        infos: dict[str, Any] = {}
        if last is not None:
            ended = terminations | truncations
            if ended.any():
                infos = _final(ended, last)
        return observations, rewards, terminations, truncations, infos

    def render(self) -> tuple[np.ndarray, ...] | None:  # type: ignore[override]
        """A frame uint8 (height, width, 3) of every row with render mode "rgb_array", else None.

        Raises:
            RuntimeError: before the first reset.
            DependencyNotInstalled: pygame is missing.
        """
        draw = rendering.ready(self._renderer, was_reset=self._started)
        if draw is None:
            return None
        frames = [draw(state) for state in self._core.states]
        return tuple(frame for frame in frames if frame is not None)

    def close_extras(self, **kwargs: Any) -> None:
        """Releases what rendering has taken."""
        if self._renderer is not None:
            self._renderer.close()

    def __getstate__(self) -> dict[str, Any]:
        """Everything but addresses."""
        state = {name: value for name, value in vars(self).items() if name not in ("_core", "_renderer")}
        return {**state, "rows": self._rows()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        rows = state.pop("rows")
        vars(self).update(state)
        self._renderer = rendering.renderer(self.environment, self.render_mode, _MODES)
        self._restore(rows)

    def _rows(self) -> dict[str, Any]:
        """What the core holds of every row."""
        names = ("states", "observations", "lengths", "ended", "generators")
        return {name: getattr(self._core, name) for name in names}

    def _restore(self, rows: dict[str, Any]) -> None:
        """A new core, of the environment as it is now, that continues with these rows."""
        self._core = self._make_core()
        for row, generator in enumerate(rows.pop("generators")):
            if generator is not None:
                self._core.set_generator(row, generator)
        self._core.restore(**rows)


def _seeds(seed: int | Sequence[int | None] | None, n: int) -> Sequence[int | None]:
    if seed is None:
        return [None] * n
    if isinstance(seed, int | np.integer):
        return [int(seed) + row for row in range(n)]
    if len(seed) != n:
        raise ValueError(f"seed must be one integer, or one for each of the {n} rows, got {len(seed)}")
    return seed


def _check_mask(mask: object, n: int) -> None:
    # The words of the first half of each message are SyncVectorEnv's.
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"`options['reset_mask']` must be a numpy array, got {type(mask)}")
    if mask.shape != (n,):
        raise ValueError(f"`options['reset_mask']` must have shape `({n},)`, got {mask.shape}")
    if mask.dtype != np.bool_:
        raise TypeError(f"`options['reset_mask']` must have `dtype=np.bool_`, got {mask.dtype}")
    if not mask.any():
        raise ValueError(
            f"`options['reset_mask']` must contain a boolean array with at least one True value, got reset_mask={mask}"
        )


def _final(ended: np.ndarray, last: np.ndarray) -> dict[str, Any]:
    """Infos of rows that were reset in the step that ended them; ours have no infos of their own."""
    observations = np.full(len(ended), None, dtype=object)
    for row in np.flatnonzero(ended):
        observations[row] = last[row]
    return {"final_obs": observations, "_final_obs": ended.copy(), "final_info": {}, "_final_info": ended.copy()}
