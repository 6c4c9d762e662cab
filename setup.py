"""Builds the compiled core: Cython modules from ext/*.pyx and the C below them.

A setuptools Extension compiles its own sources with one set of flags, but the kernels need flags for each CPU
target, and other C files belong to several modules: `BuildExt` compiles all C first, once, and links the objects in.
Set NASDQN_FAST_DEBUG=1 for a build with debugging information and no optimisation.
"""

import os
import platform
import sys

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.modified import newer_group

KERNELS = "ext/kernels"
HEADERS = [f"{KERNELS}/{name}" for name in sorted(os.listdir(KERNELS)) if name.endswith(".h")]
DEBUG = os.environ.get("NASDQN_FAST_DEBUG", "0") not in ("", "0")
# No -ffast-math: NaN and infinity must be seen, and sums keep their order. With -ffp-contract=fast a product and a sum
# are fused wherever the target has the instruction, in avx2 and avx512 at the same places: they give the same bits.
CFLAGS = ["-std=gnu11", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
CFLAGS += ["-O0", "-g"] if DEBUG else ["-O3"]
TARGET_FLAGS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
}
TARGET_SOURCES = ["dense.c", "optimizer.c", "peak.c", "table.c"]
# On macOS always all: a universal build compiles for both processors in one call, and dispatch.c asks which it is.
IS_X86 = sys.platform == "darwin" or platform.machine().lower() in ("x86_64", "amd64")
TARGETS = list(TARGET_FLAGS) if IS_X86 else ["baseline"]

# Module -> the C files it links, besides the kernels of every target, which are cpu's.
MODULES = {
    "cpu": ["dispatch.c"],
    "environment": [],
    "block": [],
    "network": ["network.c"],
    "optimizer": ["optimizer_step.c"],
    "replay": ["replay.c"],
    "agent": ["loop.c", "network.c", "optimizer_step.c", "replay.c"],
}


def target_flags(target: str) -> list[str]:
    flags = [f"-DNDQ_TARGET={target}"]
    for flag in TARGET_FLAGS[target]:
        flags += ["-Xarch_x86_64", flag] if sys.platform == "darwin" else [flag]
    return flags


class BuildExt(build_ext):
    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()
        if DEBUG:
            self.force, self.build_temp = True, self.build_temp + "-debug"

    def build_extensions(self):
        if sys.platform == "win32":
            sys.exit(
                "nasdqn-fast: the kernels use vector types of GCC and Clang that Windows compilers lack or misalign; "
                "on Windows, install under WSL 2"
            )
        plain = sorted({source for sources in MODULES.values() for source in sources})
        objects = {source: self.compile_c(source, "c", []) for source in plain}
        kernels = [self.compile_c(s, target, target_flags(target)) for target in TARGETS for s in TARGET_SOURCES]
        for extension in self.extensions:
            module = extension.name.rsplit(".", 1)[1]
            extension.extra_objects += [objects[source] for source in MODULES[module]]
            extension.extra_objects += kernels if module == "cpu" else []
            extension.depends += extension.extra_objects
        super().build_extensions()

    def compile_c(self, source: str, folder: str, flags: list[str]) -> str:
        """The object of a C file, compiled if it is older than the file or any header."""
        path, out = f"{KERNELS}/{source}", os.path.join(self.build_temp, folder)
        (compiled,) = self.compiler.object_filenames([path], output_dir=out)
        if self.force or newer_group([path, *HEADERS, "setup.py"], compiled):
            self.compiler.compile(
                [path],
                output_dir=out,
                include_dirs=INCLUDE,
                macros=MACROS,
                extra_postargs=CFLAGS + flags,
            )
        return compiled


INCLUDE = [KERNELS, numpy.get_include()]
MACROS = [("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), *((f"NDQ_HAVE_{t.upper()}", "1") for t in TARGETS)]

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"nasdqn_fast._core.{module}",
                [f"ext/{module}.pyx"],
                include_dirs=INCLUDE,
                define_macros=MACROS,
                extra_compile_args=CFLAGS,
                depends=list(HEADERS),
            )
            for module in MODULES
        ],
        include_path=["."],
        # Bounds and signs of indices stay checked: the hot loops are C, these modules only call them.
        compiler_directives={"language_level": "3", "embedsignature": True},
    ),
    cmdclass={"build_ext": BuildExt},
)
