"""How the C beside this file is compiled: what lies in target/ once for each CPU target, the rest once.

Read by setup.py, which puts the objects into the extension modules, and by tests/c/build.py, which puts them into a
program of their own.
"""

import glob
import platform
import re
import sys
from typing import Any

FOLDER = "ext/kernels"
TARGET_FOLDER = f"{FOLDER}/target"
HEADERS = sorted(glob.glob(f"{FOLDER}/**/*.h", recursive=True))
PUBLIC_HEADERS = sorted(glob.glob(f"{FOLDER}/*.h"))
# No -ffast-math: NaN and infinity must be seen, and sums keep their order. With -ffp-contract=fast a product and a sum
# are fused wherever the target has the instruction, in avx2 and avx512 at the same places: they give the same bits.
CFLAGS = ["-std=gnu11", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
TARGET_FLAGS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
}
TARGET_SOURCES = sorted(glob.glob(f"{TARGET_FOLDER}/*.c"))
PLAIN_SOURCES = sorted(glob.glob(f"{FOLDER}/*.c"))
# On macOS always all: a universal build compiles for both processors in one call, and dispatch.c asks which it is.
IS_X86 = sys.platform == "darwin" or platform.machine().lower() in ("x86_64", "amd64")
TARGETS = list(TARGET_FLAGS) if IS_X86 else ["baseline"]
MACROS = [(f"NDQ_HAVE_{target.upper()}", "1") for target in TARGETS]


# What makes a compiler forget NaN and infinity, reorder sums, or, when it links, flush subnormal numbers to zero in the
# whole process. They come from CFLAGS, CXXFLAGS, CPPFLAGS, LDFLAGS and CC, which builds of other packages set.
_UNSAFE = re.compile(
    r"-ffast-math|-funsafe-math-optimizations|-fassociative-math|-freciprocal-math|-ffinite-math-only|-fno-signed-zeros"
    r"|-fcx-limited-range|-fcx-fortran-rules|-fsingle-precision-constant|-fapprox-func"
    r"|-ffp-model=(fast|aggressive)|-fdenormal-fp-math(-f32)?=.*|-fno-honor-(nans|infinities)|-mdaz-ftz|-mrecip(=.*)?"
    r"|-mlow-precision-.*|-Ofast|-fp-model[= ]?fast.*"
)
_COMMANDS = ("preprocessor", "compiler", "compiler_so", "compiler_cxx", "compiler_so_cxx", "linker_so", "linker_so_cxx")


def undo_unsafe_math(compiler: Any) -> list[str]:
    """Takes flags that change what numbers mean out of a setuptools compiler's commands; -Ofast becomes -O3.

    Returns:
        the flags that were taken out, without repetition.
    """
    found: dict[str, None] = {}
    for name in (*_COMMANDS, "linker_exe", "linker_exe_cxx"):
        command = getattr(compiler, name, None)
        if not isinstance(command, list):
            continue
        unsafe = [flag for flag in command if _UNSAFE.fullmatch(flag)]
        found.update(dict.fromkeys(unsafe))
        kept = ["-O3" if flag == "-Ofast" else flag for flag in command if flag == "-Ofast" or flag not in unsafe]
        compiler.set_executable(name, kept)
    return list(found)


def target_flags(target: str) -> list[str]:
    """Flags of a file that is compiled once for each CPU target."""
    flags = [f"-DNDQ_TARGET={target}"]
    for flag in TARGET_FLAGS[target]:
        flags += ["-Xarch_x86_64", flag] if sys.platform == "darwin" else [flag]
    return flags
