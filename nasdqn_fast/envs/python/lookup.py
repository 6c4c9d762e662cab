"""Which objects and names stand for an environment that is stepped in Python."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from nasdqn_fast import plugins
from nasdqn_fast.envs.python.kernel import PythonKernel
from nasdqn_fast.envs.python.recipes import OBJECT, Given, Made, Registered
from nasdqn_fast.errors import InputError

# A Gymnasium id with its version, and the module that registers it in front if need be.
_ID = re.compile(r"([\w.]+:)?([\w-]+/)?[\w.:-]+-v\d+", re.ASCII)


def kernel_of(value: Any) -> PythonKernel | None:
    """The kernel of an object in Python: an environment, single or vector, its class, or a function that makes one."""
    if isinstance(value, PythonKernel):
        return value
    if isinstance(value, (gymnasium.Env, VectorEnv)):
        return PythonKernel(Given(value))
    if callable(value):
        return PythonKernel(Made(plugins.name_of(value), value))
    return None


def named_kernel(kernel: PythonKernel, address: str) -> PythonKernel:
    """The kernel that was found under this name, and is called by it."""
    recipe = kernel.recipe
    return replace(kernel, recipe=Made(address, recipe.function)) if isinstance(recipe, Made) else kernel


def kernel_named(name: str) -> PythonKernel | None:
    """The kernel of a Gymnasium id; None of another name.

    Raises:
        InputError: the name that a run directory gives to an object.
    """
    if name.startswith(OBJECT):
        raise InputError(
            f"the environment was an object, {name.removeprefix(OBJECT)}, that no name makes again; pass it from "
            "Python: resume(run, env=...), evaluate(run, env=...) or DQNAgent.load(path, env=...)"
        )
    return PythonKernel(Registered(name)) if _ID.fullmatch(name) else None
