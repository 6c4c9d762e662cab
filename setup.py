"""Builds the compiled core: Cython modules from ext/*.pyx and, per CPU target, the C kernels.

A setuptools Extension has one set of compiler flags, the kernels need one for each CPU target:
`BuildExt` compiles them to objects of their own first and links these in.
Set NASDQN_FAST_DEBUG=1 for a build with debugging information and no optimisation.
"""

import os
import platform
import sys

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

DEBUG = os.environ.get("NASDQN_FAST_DEBUG", "0") not in ("", "0")
# -ffp-contract=fast everywhere, so that the compiler, not the C dialect, decides nothing: where
# the target has FMA it is used, and avx2 and avx512 then give the same bits.
# No -ffast-math: NaN and infinity must be seen, and sums keep their order.
CFLAGS = ["-std=gnu11", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]
CFLAGS += ["-O0", "-g"] if DEBUG else ["-O3"]
TARGET_FLAGS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
}
KERNELS = ["ext/kernels/dense.c", "ext/kernels/optimizer.c", "ext/kernels/peak.c", "ext/kernels/table.c"]


def cpu_targets() -> list[str]:
    """The targets to compile for: three on x86-64, the portable one elsewhere."""
    machine = platform.machine().lower()
    if machine in ("x86_64", "amd64"):
        return list(TARGET_FLAGS)
    return ["baseline"]


def target_flags(target: str) -> list[str]:
    flags = [f"-DNDQ_TARGET={target}"]
    for flag in TARGET_FLAGS[target]:
        # A universal macOS build compiles one source for both processors in one call.
        flags += ["-Xarch_x86_64", flag] if sys.platform == "darwin" else [flag]
    return flags


class BuildExt(build_ext):
    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self):
        if self.compiler.compiler_type == "msvc":
            sys.exit(
                "nasdqn-fast: the kernels use the vector types of GCC and Clang, which this compiler lacks; "
                "on Windows, install under WSL 2"
            )
        super().build_extensions()

    def build_extension(self, extension):
        if extension.name.endswith(".cpu"):
            for target in cpu_targets():
                extension.extra_objects += self.compiler.compile(
                    KERNELS,
                    output_dir=os.path.join(self.build_temp, target),
                    include_dirs=extension.include_dirs,
                    extra_postargs=CFLAGS + target_flags(target),
                    depends=extension.depends,
                )
        super().build_extension(extension)


def core(name: str, *c_sources: str) -> Extension:
    headers = [os.path.join("ext/kernels", f) for f in sorted(os.listdir("ext/kernels")) if f.endswith(".h")]
    return Extension(
        f"nasdqn_fast._core.{name}",
        [f"ext/{name}.pyx", *(f"ext/kernels/{source}" for source in c_sources)],
        include_dirs=["ext/kernels", numpy.get_include()],
        depends=headers + (KERNELS if name == "cpu" else []),
        extra_compile_args=CFLAGS,
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")]
        + [("NDQ_HAVE_" + t.upper(), "1") for t in cpu_targets()],
    )


setup(
    ext_modules=cythonize(
        [
            core("cpu", "dispatch.c"),
            core("environment"),
            core("block"),
            core("network", "network.c"),
            core("optimizer", "optimizer_step.c"),
            core("replay", "replay.c"),
            core("agent", "loop.c", "network.c", "optimizer_step.c", "replay.c"),
        ],
        include_path=["."],
        # Bounds and signs of indices stay checked: the hot loops are C, these modules only call them.
        compiler_directives={"language_level": "3", "embedsignature": True},
    ),
    cmdclass={"build_ext": BuildExt},
)
