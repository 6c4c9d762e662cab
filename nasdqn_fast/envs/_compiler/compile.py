"""Numba compilation of an environment's functions to C function pointers, kept on disk.

Numba is imported here when something has to be compiled, or was and cannot be loaded without it (`object_file`).
"""

from __future__ import annotations

import functools
import platform
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nasdqn_fast.envs._compiler import object_file
from nasdqn_fast.envs._compiler.jit import OPTIONS, jitted, snapshot
from nasdqn_fast.envs._compiler.reach import Functions, fingerprint
from nasdqn_fast.errors import InputError
from nasdqn_fast.storage import cache
from nasdqn_fast.storage.atomic import replacing

# The C signatures of ext/kernels/env.h, whose context these functions ignore. A callback cannot raise, so an exception
# becomes what the caller looks for anyway: a non-finite observation, or the error flag (2), as do unknown flags.
_SOURCE = '''"""C callbacks of an environment, written by nasdqn-fast. Safe to delete: made anew when needed."""


def reset(context, params, uniforms, state, obs):
    obs = carray(obs, ({observation},))
    try:
        kernel_reset(carray(params, ({params},)), carray(uniforms, ({reset_uniforms},)), carray(state, ({state},)), obs)
    except Exception:
        for i in range({observation}):  # obs[:] = nan could raise, as far as Numba can see
            obs[i] = nan


def step(context, params, uniforms, state, action, obs, reward):
    try:
        flags = kernel_step(
            carray(params, ({params},)),
            carray(uniforms, ({step_uniforms},)),
            carray(state, ({state},)),
            action,
            carray(obs, ({observation},)),
            carray(reward, (1,)),
        )
        return flags if 0 <= flags <= 3 else 2
    except Exception:
        return 2
'''
_SIGNATURES = {
    "reset": "void(voidptr, CPointer(float64), CPointer(float64), CPointer(float64), CPointer(float32))",
    "step": (
        "int32(voidptr, CPointer(float64), CPointer(float64), CPointer(float64), int64, CPointer(float32), "
        "CPointer(float64))"
    ),
}
FLAGS_WANTED = "it must return 0, TERMINATED or ERROR, and write into obs and reward what there is to see and to earn"


class Sizes(NamedTuple):
    """Lengths of the arrays that a kernel's functions are handed."""

    params: int
    reset_uniforms: int
    step_uniforms: int
    state: int
    observation: int


@dataclass(frozen=True)
class Compiled:
    """An environment's two functions in machine code (signatures: ext/kernels/env.h).

    Args:
        reset_address, step_address: C function pointers, valid as long as this object lives.
        owner: what keeps the machine code in memory.
        step: the plain function that was compiled, as it was then.
    """

    reset_address: int
    step_address: int
    owner: Any
    step: Callable[..., int]


class MachineCode(NamedTuple):
    """Compiled functions.

    Args:
        addresses: C function pointers by name, valid as long as `owner` lives.
        owner: what keeps the machine code in memory.
    """

    addresses: Mapping[str, int]
    owner: Any


def compile_kernel(name: str, reset: Callable[..., None], step: Callable[..., int], sizes: Sizes) -> Compiled:
    """Compiles both functions, or returns what was compiled of them if nothing that they reach has changed.

    Args:
        name: whose functions they are, for messages and the file's name.
        reset, step: see `nasdqn_fast.envs.kernel`. Globals count with their values of this call.
        sizes: lengths of their arrays.

    Raises:
        InputError: Numba cannot compile one of them; names it, with Numba's reason.
    """
    return _compile_kernel(name, Functions.of(reset, step), sizes)


# Code that an agent uses is kept by the agent; here, so much that a loop over a constant's values finds them again.
@functools.lru_cache(maxsize=64)
def _compile_kernel(name: str, live: Functions, sizes: Sizes) -> Compiled:
    reset, step = snapshot(live.functions)
    source = _SOURCE.format(**sizes._asdict())
    code = machine_code(name, source, _SIGNATURES, {"kernel_reset": reset, "kernel_step": step})
    return Compiled(code.addresses["reset"], code.addresses["step"], code.owner, step)


def forget() -> None:
    """Makes this process look on disk again for what it has compiled."""
    _compile_kernel.cache_clear()


def machine_code(
    name: str,
    source: str,
    signatures: Mapping[str, str],
    own: Mapping[str, Callable],
    builtins: Callable[[], Mapping[str, Any]] | None = None,
) -> MachineCode:
    """Compiles functions given as source text, or loads them from disk.

    Args:
        name: whose functions they are, for messages and the file's name.
        source: text that defines them.
        signatures: their names and types, as Numba writes types.
        own: the author's functions, by the names that the source has for them.
        builtins: makes what else the source uses besides `carray` and `nan`.

    Raises:
        InputError: Numba cannot compile one of them; names it, with Numba's reason.
    """

    def compiled(filename: str, *, keep: bool) -> dict[str, Any]:
        return _compile(name, source, filename, signatures, own, builtins, keep=keep)

    try:
        key = _key(source, signatures, *own.values(), *filter(None, [builtins]))
        path = cache.directory() / f"{name.replace('.', '_')}_{key}.py"
        image = path.with_suffix(".o")
        if (loaded := object_file.load(image, signatures)) is not None:
            return MachineCode({function: loaded[function] for function in signatures}, loaded)
        _store(path, source)
        # Of what Numba keeps no object file can be made: where one is damaged, only compiling gives another.
        callbacks = compiled(str(path), keep=not object_file.is_damaged(image))
        if not any(callback.cache_hits for callback in callbacks.values()):
            object_file.save(image, callbacks)
    except InputError:
        raise
    except Exception as problem:  # an unwritable directory, a full disk, a damaged file: whatever the cache may suffer
        callbacks = compiled(f"<{name}>", keep=False)
        _warn_once(getattr(problem, "strerror", None) or str(problem))
    return MachineCode({function: callback.address for function, callback in callbacks.items()}, callbacks)


def _compile(
    name: str,
    source: str,
    filename: str,
    signatures: Mapping[str, str],
    own: Mapping[str, Callable],
    builtins: Callable[[], Mapping[str, Any]] | None,
    *,
    keep: bool,
) -> dict[str, Any]:
    """The callbacks, `numba.cfunc` objects by name."""
    import numba

    namespace: dict[str, Any] = {"__name__": __name__, "carray": numba.carray, "nan": np.nan}
    namespace |= builtins() if builtins else {}
    namespace |= dict(zip(own, jitted(own.values()), strict=True))
    exec(compile(source, filename, "exec"), namespace)
    callbacks: dict[str, Any] = {}
    for function, signature in signatures.items():
        try:
            # error_model: division by zero gives an infinity, and no test for it stops vectorisation.
            callbacks[function] = numba.cfunc(signature, cache=keep, error_model="numpy")(namespace[function])
        except Exception as error:
            if keep and not isinstance(error, numba.core.errors.NumbaError):
                raise  # the cache's fault, or else met again without it
            if (returned := _no_flags(namespace.get("kernel_step"))) is not None:
                raise InputError(f"environment {name}: step returns {returned}: {FLAGS_WANTED}") from error
            raise InputError(
                f"environment {name}: Numba cannot compile {function}: {_reason(error, filename)}"
            ) from error
    return callbacks


def _store(path: Path, source: str) -> None:
    """Writes a source file unless it is there: Numba takes a file that is newer for changed code."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(source.encode())


def _key(source: str, signatures: Mapping[str, str], *functions: Callable) -> str:
    # With the signatures: a function is never called by one that it was not compiled for.
    versions = [platform.python_version(), *map(version, ("numba", "llvmlite", "numpy"))]
    return fingerprint(
        *functions, source, str(dict(signatures)), str(OPTIONS), tuple(versions), object_file.processor()
    )[:32]


def _no_flags(step: Any) -> str | None:
    """What Numba found the function to return, if these are no flags; None if they are, or if it did not get so far."""
    from numba import types

    for signature in getattr(step, "nopython_signatures", ()):
        kind = signature.return_type
        if isinstance(kind, types.NoneType):
            return "nothing (None)"
        if not isinstance(kind, types.Number | types.Boolean):
            return "a tuple" if isinstance(kind, types.BaseTuple) else f"a value of Numba's type {kind}"
    return None


def _reason(error: Exception, generated: str) -> str:
    """One line of Numba's many: the first that says something, and the place in the author's file."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()]
    says = [line for line in lines if line and not line.startswith(("Failed in nopython mode", "File ", "<source"))]
    says = says or [type(error).__name__]
    reason = " ".join(says[:2]) if says[0].endswith(":") else says[0]
    places = re.findall(r'File "([^"]+)", line (\d+)', "\n".join(lines))
    place = next((f" ({file}, line {line})" for file, line in places if Path(file).name != Path(generated).name), "")
    return reason + place


@functools.cache
def _warn_once(reason: str) -> None:
    warnings.warn(
        f"compiled environments cannot be kept on disk ({reason}): every process compiles them anew. "
        "Set NASDQN_FAST_CACHE_DIR to a directory that can be written to.",
        RuntimeWarning,
        stacklevel=5,  # Environment.compiled's caller
    )
