"""Flags that change what numbers mean, inherited from the environment, do not reach the compiled core."""

import functools
import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

KERNELS = Path(__file__).parents[1] / "ext" / "kernels"
UNSAFE = ["-ffast-math", "-Ofast", "-funsafe-math-optimizations"]
SOURCE = r"""
#pragma GCC visibility push(default)
int is_fast(void) {
#if defined __FAST_MATH__ || defined __ASSOCIATIVE_MATH__ || __FINITE_MATH_ONLY__
    return 1;
#else
    return 0;
#endif
}
double half(double x) { return x / 2; }
"""
# Builds as setup.py does: setuptools' compiler, set up from the environment, its commands cleaned or not. Loads the
# library into this process, as an import would, and asks whether subnormal numbers are still there.
SCRIPT = r"""
import ctypes, os, sys
sys.path.insert(0, sys.argv[1])
os.chdir(os.path.dirname(os.path.dirname(sys.argv[1])))
import compilation
from setuptools._distutils import ccompiler, sysconfig
compiler = ccompiler.new_compiler()
sysconfig.customize_compiler(compiler)
if sys.argv[3] == "clean":
    print(*sorted(compilation.undo_unsafe_math(compiler)))
os.chdir(sys.argv[2])
objects = compiler.compile(["tiny.c"], extra_postargs=compilation.CFLAGS)
compiler.link_shared_object(objects, "tiny.so")
library = ctypes.CDLL("./tiny.so")
library.half.restype, library.half.argtypes = ctypes.c_double, [ctypes.c_double]
print(library.is_fast(), library.half(sys.float_info.min) == 0)
"""


@pytest.fixture(scope="module")
def compilation():
    before = os.getcwd()
    os.chdir(KERNELS.parents[1])  # it names its files from there
    spec = importlib.util.spec_from_file_location("compilation", KERNELS / "compilation.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    os.chdir(before)
    return module


def build(folder, how, **environment):
    (folder / "tiny.c").write_text(SOURCE)
    command = [sys.executable, "-c", SCRIPT, str(KERNELS), str(folder), how]
    finished = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return finished.stdout.splitlines()


@pytest.mark.quick_only(flag="-Ofast")
@pytest.mark.parametrize("flag", UNSAFE)
def test_they_reach_neither_compiler_nor_linker(tmp_path, flag):
    environment = {"CFLAGS": f"-O2 {flag}", "CXXFLAGS": flag, "LDFLAGS": flag}
    assert build(tmp_path, "clean", **environment) == [flag, "0 False"]


def test_the_test_sees_them_where_they_are_not_undone(tmp_path):
    (answer,) = build(tmp_path, "leave", CFLAGS="-ffast-math", LDFLAGS="-ffast-math")
    assert answer.startswith("1 ")


def test_flags_in_the_compilers_own_command(tmp_path):
    compiler = os.environ.get("CC", "cc").split()[0]
    assert build(tmp_path, "clean", CC=f"{compiler} -ffast-math") == ["-ffast-math", "0 False"]


def test_all_else_stays_in_its_order(compilation):
    compiler = types.SimpleNamespace(
        compiler_so=["gcc", "-O2", "-ffinite-math-only", "-g", "-Ofast", "-march=native", "-fno-fast-math"],
        linker_so=["gcc", "-shared", "-mdaz-ftz", "-Lffast-math"],
        preprocessor=None,
    )
    compiler.set_executable = functools.partial(setattr, compiler)
    assert compilation.undo_unsafe_math(compiler) == ["-ffinite-math-only", "-Ofast", "-mdaz-ftz"]
    assert compiler.compiler_so == ["gcc", "-O2", "-g", "-O3", "-march=native", "-fno-fast-math"]
    assert compiler.linker_so == ["gcc", "-shared", "-Lffast-math"]
    assert compilation.undo_unsafe_math(compiler) == []


@pytest.mark.parametrize("flag", [*UNSAFE[:2], "-ffinite-math-only"])
def test_a_compiler_that_has_them_built_in_is_refused(tmp_path, flag):
    command = [
        os.environ.get("CC", "cc").split()[0],
        flag,
        "-c",
        str(KERNELS / "dispatch.c"),
        "-o",
        str(tmp_path / "o"),
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode != 0
    assert "nasdqn-fast: built with -ffast-math or a part of it" in finished.stderr
