"""Builds the program that checks the C by itself: `python tests/c/build.py PROGRAM [FLAG ...]`, from the checkout.

The files of ext/kernels are compiled as setup.py compiles them, in a temporary folder; FLAGs, such as
-fsanitize=thread, come last and go to the linker too. The compiler is the environment variable CC, or gcc or clang.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def build(program: Path, flags: list[str]) -> None:
    """Compiles and links `program`; what the compiler says goes to the terminal.

    Raises:
        subprocess.CalledProcessError: a file does not compile, or the program does not link.
        FileNotFoundError: there is no C compiler.
    """
    os.chdir(ROOT)  # compilation.py names its files from here
    sys.path.insert(0, "ext/kernels")
    import compilation

    compiler = os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise FileNotFoundError("no C compiler found; install gcc or clang, or name one in CC")
    include = [f"-I{compilation.FOLDER}", f"-isystem{numpy.get_include()}"]
    common = [*compiler.split(), *compilation.CFLAGS, "-pthread", *include]
    common += [f"-D{name}={value}" for name, value in compilation.MACROS]
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(path, f"{folder}/{path.stem}.o", WARNINGS) for path in HERE.glob("*.c")]
        for source in compilation.PLAIN_SOURCES:
            jobs.append((source, f"{folder}/kernels-{Path(source).stem}.o", []))
        for target in compilation.TARGETS:
            for source in compilation.TARGET_SOURCES:
                out = f"{folder}/{target}-{Path(source).stem}.o"
                jobs.append((source, out, compilation.target_flags(target)))

        def compile_one(job):
            source, out, own = job
            subprocess.run([*common, *own, *flags, "-c", source, "-o", out], check=True)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(compile_one, jobs))
        objects = [out for _, out, _ in jobs]
        subprocess.run([*compiler.split(), "-pthread", *flags, *objects, "-lm", "-o", program], check=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve(), sys.argv[2:])
