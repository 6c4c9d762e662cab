"""Compiled callbacks as one object file, which LLVM loads without Numba: in 50 ms and 50 MB, not in 1 s and 120 MB.

Only code that needs nothing of Numba's at run time can be loaded so: that makes no arrays, prints nothing and draws no
random numbers. What does refers to symbols that only Numba has, so that it fails to link and is left to Numba's cache.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nasdqn_fast.storage.atomic import replacing

DIGEST_SIZE = hashlib.sha256().digest_size  # bytes of the object's digest, which the file begins with

_number = itertools.count()  # no two libraries of a process may have one name


def processor() -> str:
    """The processor and its features, which decide what the compiled code may use."""
    import llvmlite.binding as llvm

    return f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


def load(path: Path, names: Iterable[str]) -> Any | None:
    """Loads what `save` wrote.

    Returns:
        name -> address, valid as long as this object lives; None if there is no sound file, or its code needs Numba.
    """
    if (image := _read(path)) is None:
        return None

    import llvmlite.binding as llvm

    builder = llvm.JITLibraryBuilder().add_object_img(image).add_current_process()
    for name in names:
        builder.export_symbol(name)
    try:
        return builder.link(_linker(), f"{path.stem}_{next(_number)}")
    except RuntimeError:  # a symbol that only Numba has
        return None


def is_damaged(path: Path) -> bool:
    """Whether there is a file that `save` did not write so."""
    return path.exists() and _read(path) is None


def _read(path: Path) -> bytes | None:
    """The object; None if there is no sound file. LLVM may crash on a damaged one."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, image = content[:DIGEST_SIZE], content[DIGEST_SIZE:]
    return image if hashlib.sha256(image).digest() == digest else None


def save(path: Path, callbacks: Mapping[str, Any]) -> None:
    """Writes the machine code of Numba's callbacks, under these names; nothing if it holds for this process only.

    Args:
        path: the file.
        callbacks: `numba.cfunc` objects that were compiled in this process: of others Numba has no source.
    """
    sources = {name: callback.inspect_llvm() for name, callback in callbacks.items()}
    if any("numba.dynamic.globals" in source for source in sources.values()):  # addresses in this process
        return
    try:
        image = _image({name: (callbacks[name].native_name, source) for name, source in sources.items()})
    except AttributeError:  # llvmlite before 0.45 has not all passes
        return
    with replacing(path) as file:
        file.write(hashlib.sha256(image).digest() + image)


def _image(sources: Mapping[str, tuple[str, str]]) -> bytes:
    """An object file of several modules, name -> (symbol, LLVM source), with these names for symbols and no others."""
    import llvmlite.binding as llvm

    whole = llvm.parse_assembly("")
    for name, (symbol, source) in sources.items():
        # Numba fills in each function's environment, and only code that prints or makes objects looks at it. As an
        # outside symbol that does not exist, it stops such code from being linked.
        module = llvm.parse_assembly(re.sub(r"(?m)^(@.* = )common (.*global \S+) \w+", r"\1external \2", source))
        for function in module.functions:
            if function.name == symbol:
                function.name = name
            elif not function.is_declaration:
                function.linkage = "internal"
        whole.link_in(module)
    machine = llvm.Target.from_default_triple().create_target_machine(  # as Numba's
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )
    # A callback reports an exception to Python, with Numba's help. Its function is now seen to be called from there
    # only; where it always returns 0, the report is dead code, and goes.
    passes = llvm.create_new_module_pass_manager()
    passes.add_ipsccp_pass()
    passes.add_simplify_cfg_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(whole, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    return machine.emit_object(whole)


@functools.cache
def _linker() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.create_lljit_compiler(suppress_errors=True)
