"""Builds the compiled core: Cython modules from ext/*.pyx and the C below them.

A setuptools Extension compiles its own sources with one set of flags, but the kernels need flags for each CPU
target, and other C files belong to several modules: `BuildExt` compiles all C first, once, and links the objects in.
Set NASDQN_FAST_DEBUG=1 for a build with debugging information and no optimisation.
"""

import glob
import os
import sys
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.modified import newer_group

sys.path.insert(0, "ext/kernels")
import compilation

DEBUG = os.environ.get("NASDQN_FAST_DEBUG", "0") not in ("", "0")
CFLAGS = [*compilation.CFLAGS, *(["-O0", "-g"] if DEBUG else ["-O3"])]

LEARNER = ["learner.c", "network.c", "optimizer_step.c", "prioritized.c", "replay.c", "sum_tree.c", "supernet.c"]
# Module -> the C files it links, besides the kernels of every target, which are cpu's.
MODULES = {
    "cpu": ["dispatch.c"],
    "environment": ["env.c"],
    "vector_env": ["vector_env.c", "env.c"],
    "block": [],
    "stop_token": [],
    "signals": [],
    "exclusive": [],
    "batch_arrays": [],
    "network": ["network.c", "fit.c", "optimizer_step.c"],
    "normalizer": ["normalizer.c"],
    "optimizer": ["optimizer_step.c"],
    "sum_tree": ["sum_tree.c"],
    "replay": ["prioritized.c", "replay.c", "sum_tree.c"],
    "ring": ["ring.c"],
    "learner": LEARNER,
    "supernet": LEARNER,
    "lowlevel": ["env.c", "network.c", "replay.c", "sum_tree.c"],
    "python_lanes": [],
    "population": [*LEARNER, "normalizer.c", "population.c"],
    "loop": [*LEARNER, "loop.c", "normalizer.c", "population.c"],
}


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
        if unsafe := compilation.undo_unsafe_math(self.compiler):
            print(
                f"nasdqn-fast: {' '.join(unsafe)} left out: NaN must be seen, and results must not change",
                file=sys.stderr,
            )
        objects = {Path(source).name: self.compile_c(source, "c", []) for source in compilation.PLAIN_SOURCES}
        kernels = [
            self.compile_c(source, target, compilation.target_flags(target))
            for target in compilation.TARGETS
            for source in compilation.TARGET_SOURCES
        ]
        for extension in self.extensions:
            module = extension.name.rsplit(".", 1)[1]
            extension.extra_objects += [objects[source] for source in MODULES[module]]
            extension.extra_objects += kernels if module == "cpu" else []
            extension.depends += extension.extra_objects
        super().build_extensions()

    def compile_c(self, path: str, folder: str, flags: list[str]) -> str:
        """The object of a C file, compiled if it is older than the file or any header."""
        out = os.path.join(self.build_temp, folder)
        (compiled,) = self.compiler.object_filenames([path], output_dir=out)
        if self.force or newer_group([path, *compilation.HEADERS, compilation.__file__, "setup.py"], compiled):
            self.compiler.compile(
                [path],
                output_dir=out,
                include_dirs=INCLUDE,
                macros=MACROS,
                extra_postargs=CFLAGS + flags,
            )
        return compiled


class BuildPy(build_py):
    """Puts the headers into the package, beside the .pxd files that name them."""

    def run(self):
        super().run()
        if not self.editable_mode:  # there they are found in ext/kernels
            out = os.path.join(self.build_lib, "nasdqn_fast", "_core", "include")
            self.mkpath(out)
            for header in compilation.PUBLIC_HEADERS:
                self.copy_file(header, out)


INCLUDE = [compilation.FOLDER, numpy.get_include()]
MACROS = [("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), *compilation.MACROS]

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"nasdqn_fast._core.{module}",
                [f"ext/{module}.pyx", *sorted(glob.glob(f"ext/{module}/*.c"))],
                include_dirs=[*INCLUDE, "ext"],
                define_macros=MACROS,
                extra_compile_args=CFLAGS,
                depends=[*compilation.HEADERS, *glob.glob(f"ext/{module}/*.h")],
            )
            for module in MODULES
        ],
        include_path=["."],
        # Bounds and signs of indices stay checked: the hot loops are C, these modules only call them.
        compiler_directives={"language_level": "3", "embedsignature": True},
    ),
    cmdclass={"build_ext": BuildExt, "build_py": BuildPy},
)
