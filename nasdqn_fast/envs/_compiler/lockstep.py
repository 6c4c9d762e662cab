"""One step of many episodes at once: an author's step in a loop that LLVM turns into vector code.

LLVM vectorises the loop if the step is inlined into it, has no calls left (a libm sine is one), and provably writes
nothing that another lane reads. The last is why the episodes' arrays are turned into *panels* on the stack, one row
for each number of state and one column for each episode: neighbours lie side by side, and nothing else can point there.
A step for which all this fails runs in the same loop, lane by lane, with the same results.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from nasdqn_fast.envs._compiler.compile import MachineCode, Sizes, machine_code
from nasdqn_fast.envs._compiler.reach import Functions
from nasdqn_fast.errors import InputError

LANES = 64  # columns of a panel: the episodes of one call at most
MAX_PANELS = 1 << 18  # bytes on the stack, of which a thread may have half a megabyte

# The C signature of ext/kernels/env.h, whose context it ignores. Rewards and observations start as NaN: a step has to
# write them.
_SOURCE = '''"""Lockstep callback of an environment, written by nasdqn-fast. Safe to delete: made anew when needed."""


def lockstep(context, params, uniforms, states, actions, obs, rewards, flags, n):
    params = carray(params, ({params},))
    uniforms = carray(uniforms, (n, {step_uniforms})).T
    states, obs = carray(states, (n, {state})), carray(obs, (n, {observation}))
    actions, rewards, flags = carray(actions, (n,)), carray(rewards, (n,)), carray(flags, (n,))
    state_panel = carray(doubles({state_panel}), ({state}, {lanes}))
    obs_panel = carray(floats({obs_panel}), ({observation}, {lanes}))
    reward_panel = carray(doubles({lanes}), (1, {lanes}))
    flag_panel = carray(ints({lanes}), ({lanes},))
    for i in range(n):
        for k in range({state}):
            state_panel[k, i] = states[i, k]
    for i in range(n):
        for k in range({observation}):
            obs_panel[k, i] = nan
    for i in range(n):
        reward_panel[0, i] = nan
    for i in range(n):
        flag_panel[i] = step_lane(kernel_step, i, params, uniforms, state_panel, actions[i], obs_panel, reward_panel)
    for i in range(n):
        for k in range({state}):
            states[i, k] = state_panel[k, i]
    for i in range(n):
        for k in range({observation}):
            obs[i, k] = obs_panel[k, i]
    for i in range(n):
        rewards[i] = reward_panel[0, i]
    for i in range(n):
        flags[i] = flag_panel[i]
'''
_SIGNATURE = (
    "void(voidptr, CPointer(float64), CPointer(float64), CPointer(float64), CPointer(int64), CPointer(float32), "
    "CPointer(float64), CPointer(int32), int64)"
)


def compile_lockstep(name: str, step: Callable[..., int], sizes: Sizes) -> MachineCode | None:
    """The compiled loop, a function ``lockstep`` (ext/kernels/env.h).

    Args:
        name: whose function it is, for messages and the file's name.
        step: see `nasdqn_fast.envs.kernel`; of an environment that was compiled, `Compiled.step`.
        sizes: lengths of its arrays.

    Returns:
        None if Numba compiles the step for arrays that lie in one piece only, as a reshape demands, or if the arrays
        are too long for the stack: then there is no loop but one call a lane.
    """
    return _compile_lockstep(name, Functions.of(step), sizes)


@functools.lru_cache(maxsize=64)
def _compile_lockstep(name: str, live: Functions, sizes: Sizes) -> MachineCode | None:
    (step,) = live.functions
    if LANES * (8 * sizes.state + 4 * sizes.observation) > MAX_PANELS:
        return None
    source = _SOURCE.format(
        **sizes._asdict(),
        lanes=LANES,
        # One number more than needed keeps the size of an empty array valid.
        state_panel=max(sizes.state, 1) * LANES,
        obs_panel=sizes.observation * LANES,
    )
    try:
        return machine_code(name, source, {"lockstep": _SIGNATURE}, {"kernel_step": step}, _builtins)
    except InputError:
        return None


def forget() -> None:
    """Makes this process look on disk again for what it has compiled."""
    _compile_lockstep.cache_clear()


def _builtins() -> dict[str, Any]:
    """What the source above uses and Numba lacks."""
    from numba import types

    return {
        "step_lane": _step_lane(),
        "doubles": _on_the_stack(types.float64),
        "floats": _on_the_stack(types.float32),
        "ints": _on_the_stack(types.int32),
    }


def _on_the_stack(dtype: Any) -> Any:
    """A function (n) -> pointer to n numbers, n a constant, which live as long as the call of the function it is in."""
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    @intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
    def allocate(typing_context: Any, n: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, _: Any) -> Any:
            pointer = cgutils.alloca_once(builder, context.get_data_type(dtype), signature.args[0].literal_value)
            pointer.align = 64  # a cache line: no vector crosses one
            return pointer

        return types.CPointer(dtype)(n), generate

    return allocate


def _step_lane() -> Any:
    """A function (step, i, its six arguments) -> flags that steps lane i; a matrix stands for its column i.

    A call that Numba writes would count references to each column, and those calls stay in the loop until after LLVM's
    vectoriser has seen it. A raised exception, or flags that there are not, become the error flag (2) without a branch.
    """
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic
    from numba.np.arrayobj import make_array, populate_array

    def column_type(array: Any) -> Any:
        return types.Array(array.dtype, 1, "A")

    def column(context: Any, builder: Any, array_type: Any, value: Any, i: Any) -> Any:
        matrix = make_array(array_type)(context, builder, value)
        view = make_array(column_type(array_type))(context, builder)
        rows, _ = cgutils.unpack_tuple(builder, matrix.shape)
        down, right = cgutils.unpack_tuple(builder, matrix.strides)
        first = cgutils.pointer_add(builder, matrix.data, builder.mul(i, right), matrix.data.type)
        populate_array(view, data=first, shape=[rows], strides=[down], itemsize=matrix.itemsize, meminfo=None)
        return view._getvalue()

    @intrinsic  # type: ignore[untyped-decorator]
    def step_lane(
        typing_context: Any,
        step: Any,
        i: Any,
        params: Any,
        uniforms: Any,
        states: Any,
        action: Any,
        obs: Any,
        rewards: Any,
    ) -> Any:
        given = (params, uniforms, states, action, obs, rewards)
        taken = tuple(column_type(t) if getattr(t, "ndim", 0) == 2 else t for t in given)
        step.dispatcher.compile(taken)

        def generate(context: Any, builder: Any, _: Any, values: Any) -> Any:
            _, lane, *rest = values
            arguments = [
                value if before == after else column(context, builder, before, value, lane)
                for before, after, value in zip(given, taken, rest, strict=True)
            ]
            compiled = step.dispatcher.overloads[taken]
            context.active_code_library.add_linking_library(compiled.library)
            function = context.declare_function(builder.module, compiled.fndesc)
            status, result = context.call_conv.call_function(
                builder, function, compiled.fndesc.restype, compiled.fndesc.argtypes, arguments
            )
            flags = context.cast(builder, result, compiled.fndesc.restype, types.int32)
            unknown = builder.icmp_unsigned(">", flags, flags.type(3))
            return builder.select(builder.or_(status.is_error, unknown), flags.type(2), flags)

        return types.int32(step, i, *given), generate

    return step_lane
