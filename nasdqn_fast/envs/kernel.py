"""What an environment is: two plain functions, their sizes and their parameters.

The functions work on array views and are compiled by Numba on first use
(`Environment.compiled`), or called as they are by the NumPy backend:

    reset(params, uniforms, state, obs) -> None
    step(params, uniforms, state, action, obs, reward) -> flags

``params`` float64 (len(params),), read-only; ``uniforms`` float64 in [0, 1), as many as
`EnvKernel.reset_uniforms` or `EnvKernel.step_uniforms`; ``state`` float64 (state_size,), read and
written; ``action`` int in [0, n_actions); ``obs`` float32 (observation_size,) and ``reward``
float64 (1,), written. ``flags`` is 0, `TERMINATED` or `ERROR`; any other value counts as an error.

A kernel owns no generator and no clock: the caller draws the uniforms and counts the steps, so a
time limit truncates and never terminates.
"""

from __future__ import annotations

import copy
import hashlib
import inspect
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np

from nasdqn_fast.copying import Independent
from nasdqn_fast.envs._compiler import bytecode
from nasdqn_fast.envs._compiler.compile import FLAGS_WANTED, Compiled, MachineCode, Sizes, compile_kernel
from nasdqn_fast.envs._compiler.lockstep import compile_lockstep
from nasdqn_fast.envs._compiler.reach import fingerprint
from nasdqn_fast.errors import InputError, UnpicklableError, suggest
from nasdqn_fast.plugins import check_takes
from nasdqn_fast.validation import check_finite, check_int, check_positive, check_positive_int

# Flags of step, as in ext/kernels/env.h.
TERMINATED = 1
ERROR = 2

_MAX_SIZE = 2**31 - 1  # int32 in ext/kernels/env.h

# Numbers, or where they depend on the parameters, a function of these.
Bounds = Sequence[float] | Callable[[Mapping[str, float]], Sequence[float]]


class StartRange(NamedTuple):
    """What Gymnasium's ``reset(options={"low": ..., "high": ...})`` needs, in an environment that has it.

    Args:
        default: low and high, made from the named parameters, where an option is left out.
        reset: (low, high, uniforms, state, obs) -> None, as `EnvKernel.reset`, from between these bounds.
    """

    default: Callable[[Mapping[str, float]], tuple[float, float]]
    reset: Callable[..., None]


@dataclass(frozen=True, eq=False)
class EnvKernel(Independent):
    """An environment's functions, sizes and parameters (see the module's docstring).

    Args:
        reset, step: plain functions; whatever plain functions they call are compiled with them.
        params: names and defaults, in the order of the vector that the functions get.
        state_size: float64 numbers of state, >= 0.
        observation_size, n_actions: >= 1.
        observation_low, observation_high: bounds of the observation, `observation_size` numbers
            each (infinities allowed), or a function that makes them from the named parameters.
        max_episode_steps: default time limit, steps, >= 1.
        reset_uniforms, step_uniforms: uniforms that one reset or one step takes, >= 0.
        starts: named distributions of the initial state, each a set of parameter values; the first
            is the default.
        positive: names of the parameters that must be > 0.
        threshold: mean return at which the task counts as solved; None where nothing is agreed on.
        gymnasium_id: name and version for Gymnasium, as ``CartPole-v1``; built-in kernels only.
        start_range: for Gymnasium's ``reset`` with options; None refuses these.
        reward_after_end: what `interop.gymnasium.KernelEnv` pays for a step that terminates an episode which has
            terminated before; None pays what `step` says. The training loop never takes such a step.

    Raises:
        InputError: functions that do not take these arguments, assign to those that they are to write into, or return
            something else than flags; sizes out of range, names that are no parameter, non-finite defaults.
    """

    reset: Callable[..., None]
    step: Callable[..., int]
    params: Mapping[str, float]
    _: KW_ONLY
    state_size: int
    observation_size: int
    n_actions: int
    observation_low: Bounds
    observation_high: Bounds
    max_episode_steps: int
    reset_uniforms: int = 0
    step_uniforms: int = 0
    starts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    positive: Sequence[str] = ()
    threshold: float | None = None
    gymnasium_id: str | None = None
    start_range: StartRange | None = None
    reward_after_end: float | None = None

    def __post_init__(self) -> None:
        check_takes("reset", self.reset, ("params", "uniforms", "state", "obs"))
        check_takes("step", self.step, ("params", "uniforms", "state", "action", "obs", "reward"))
        _check_written("reset", self.reset, (2, 3))
        _check_written("step", self.step, (2, 4, 5))
        _check_flags(self.step)
        for name in ("observation_size", "n_actions"):
            check_int(name, getattr(self, name), 1, _MAX_SIZE)
        for name in ("state_size", "reset_uniforms", "step_uniforms"):
            check_int(name, getattr(self, name), 0, _MAX_SIZE)
        if self.threshold is not None:
            check_finite("threshold", self.threshold)
        for name in self.positive:
            self._check_known(name)
        for start in self.starts or (None,):
            self.bind(start=start)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: observations of {self.observation_size}, {self.n_actions} actions>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Functions stay what they are, also those that cannot be pickled."""
        copied = object.__new__(type(self))
        vars(copied).update(copy.deepcopy(vars(self), memo))
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with its functions by reference.

        Raises:
            UnpicklableError: a function is no attribute of a module.
        """
        for name, value in vars(self).items():
            if callable(value) or isinstance(value, StartRange):
                _check_pickles(f"{name} of the environment kernel", value)
        return _restored, (type(self), vars(self))

    @property
    def name(self) -> str:
        """The module that defines it."""
        return self.step.__module__

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules of its functions, where a name for it is looked for."""
        return (self.step.__module__, self.reset.__module__)

    def fingerprint(self) -> str:
        """Hexadecimal digest of the two functions and all that they refer to, as it is now.

        Environments with one fingerprint are one and the same: compiled code, checkpoints and optima go by it.
        """
        return fingerprint(self.reset, self.step)

    def bind(
        self,
        *,
        start: str | None = None,
        params: Mapping[str, float] | None = None,
        max_episode_steps: int | None = None,
    ) -> Environment:
        """Fixes the parameters: the defaults, then those of `start`, then `params`.

        Args:
            start: a key of `starts`; None takes the first.
            params: values by name, finite numbers.
            max_episode_steps: time limit, steps, >= 1; None takes the kernel's.

        Raises:
            InputError: an unknown name, or a value that is not a finite number, not positive where
                it must be, or not a whole number where it must be.
        """
        values = {**self.params, **self._start(start), **(params or {})}
        try:
            vector = np.array([self._checked(name, value) for name, value in values.items()], np.float64)
            limit = self.max_episode_steps if max_episode_steps is None else max_episode_steps
            limit = check_positive_int("max_episode_steps", limit)
        except (TypeError, ValueError) as error:  # a user wrote it into a file or on a command line
            raise InputError(str(error)) from None
        return Environment(self, vector, limit)

    def _start(self, start: str | None) -> Mapping[str, float]:
        if start is None:
            return next(iter(self.starts.values()), {})
        if start not in self.starts:
            valid = suggest(str(start), self.starts) if self.starts else "this environment has no named starts"
            raise InputError(f"unknown start {start!r}: {valid}")
        return self.starts[start]

    def _check_known(self, name: str) -> None:
        if name not in self.params:
            raise InputError(f"unknown environment parameter {name!r}: {suggest(str(name), self.params)}")

    def _checked(self, name: str, value: object) -> float:
        self._check_known(name)
        check = check_positive if name in self.positive else check_finite
        return check(f"environment parameter {name}", value)


def _restored(kind: type[EnvKernel], values: dict[str, Any]) -> EnvKernel:
    kernel = object.__new__(kind)
    vars(kernel).update(values)
    return kernel


def _check_pickles(what: str, value: object) -> None:
    try:
        pickle.dumps(value)
    except Exception as error:  # PicklingError, AttributeError or TypeError, by the version of Python
        raise UnpicklableError(
            f"{what} cannot be pickled: {error}; define it with def at the top level of a module, by that name"
        ) from None


def _check_written(what: str, function: Callable[..., Any], positions: tuple[int, ...]) -> None:
    """Arguments that are to be written into: binding the name to something else would write nothing."""
    try:
        arguments = list(inspect.signature(function).parameters)
    except ValueError:  # a built-in function, which does not tell
        return
    written = [arguments[i] for i in positions if i < len(arguments)]
    for name, line in bytecode.rebound(function, written):
        raise InputError(
            f"{what} of {function.__module__} assigns to its argument {name!r} in line {line}, which writes nothing "
            f"into the array: write {name}[0] = ... or {name}[:] = ..., or use another name"
        )


def _check_flags(step: Callable[..., Any]) -> None:
    for value in bytecode.returned(step):
        if value is None or value is tuple or isinstance(value, tuple):
            got = "nothing (None)" if value is None else "a tuple"
            raise InputError(f"step of {step.__module__} returns {got}: {FLAGS_WANTED}")


@dataclass(frozen=True, eq=False)
class Environment:
    """A kernel with its parameters fixed: what agents take. Made by `EnvKernel.bind`, which checks.

    Args:
        kernel: the functions and sizes.
        params: float64 (len(kernel.params),), read-only: the vector that the functions get.
        max_episode_steps: time limit, steps.

    Raises:
        InputError: observation bounds of the wrong length, or low above high.
    """

    kernel: EnvKernel
    params: np.ndarray
    max_episode_steps: int

    def __post_init__(self) -> None:
        self.params.flags.writeable = False
        if not np.all(self.observation_low <= self.observation_high):
            raise InputError(f"observation_low of {self.kernel.name} must not be above observation_high")

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy's parameters are read-only, too."""
        return type(self), (self.kernel, self.params, self.max_episode_steps)

    def __repr__(self) -> str:
        sizes = f"observations of {self.observation_size}, {self.n_actions} actions"
        changed = [f"{name}={value:g}" for name, value in self.values.items() if value != self.kernel.params[name]]
        about = ", ".join([sizes, f"at most {self.max_episode_steps:,} steps", *changed])
        return f"<{type(self).__name__} {self.kernel.name}: {about}>"

    def fingerprint(self) -> str:
        """Hexadecimal digest of all that decides what is played: code, sizes, parameters and time limit."""
        sizes = self._sizes(), self.n_actions, self.max_episode_steps
        text = repr((self.kernel.fingerprint(), sizes, list(self.values.items())))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def values(self) -> dict[str, float]:
        """Every parameter by name."""
        return dict(zip(self.kernel.params, self.params.tolist(), strict=True))

    def changed(self, **values: float) -> Environment:
        """The same kernel and time limit, with other values of some parameters.

        Raises:
            InputError: as `EnvKernel.bind`.
        """
        return self.kernel.bind(params={**self.values, **values}, max_episode_steps=self.max_episode_steps)

    @property
    def limit(self) -> int:
        """The time limit by which an equal environment is bound."""
        return self.max_episode_steps

    @property
    def observation_low(self) -> np.ndarray:
        """float32 (observation_size,), with these parameters."""
        return self._bound("observation_low")

    @property
    def observation_high(self) -> np.ndarray:
        """float32 (observation_size,), with these parameters."""
        return self._bound("observation_high")

    @property
    def observation_size(self) -> int:
        return self.kernel.observation_size

    @property
    def n_actions(self) -> int:
        return self.kernel.n_actions

    def compiled(self) -> Compiled:
        """The functions as C function pointers, with the globals that they refer to as these are now.

        Compiled, or loaded from disk, unless this process has done so before and nothing has changed since.

        Raises:
            InputError: Numba cannot compile one of them; names the function and Numba's reason.
        """
        return compile_kernel(self.kernel.name, self.kernel.reset, self.kernel.step, self._sizes())

    def compiled_lockstep(self, compiled: Compiled | None = None) -> MachineCode | None:
        """A C function ``lockstep`` that steps up to 64 episodes by the step that was compiled.

        Args:
            compiled: what `compiled` returned; None calls it.

        Returns:
            None if the step has to be called lane by lane.
        """
        return compile_lockstep(self.kernel.name, (compiled or self.compiled()).step, self._sizes())

    def _sizes(self) -> Sizes:
        kernel = self.kernel
        return Sizes(
            params=len(kernel.params),
            reset_uniforms=kernel.reset_uniforms,
            step_uniforms=kernel.step_uniforms,
            state=kernel.state_size,
            observation=kernel.observation_size,
        )

    def _bound(self, name: str) -> np.ndarray:
        bound = getattr(self.kernel, name)
        array = np.array(bound(self.values) if callable(bound) else bound, np.float32)
        if array.shape != (self.observation_size,):
            raise InputError(
                f"{name} of {self.kernel.name} must be observation_size = {self.observation_size} numbers, "
                f"got shape {array.shape}"
            )
        return array
