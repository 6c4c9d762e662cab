"""A source tree without a core that this Python can load: one line says why, and what to do."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import nasdqn_fast

PACKAGE = Path(nasdqn_fast.__file__).parent
REPOSITORY = Path(__file__).parents[1]
BUILD = "build the core in the tree: python setup.py build_ext --inplace --force"


@pytest.fixture
def tree(tmp_path):
    """A checkout as Git leaves it, whose package is the one under test, but not built."""
    tree = tmp_path / "tree"
    shutil.copytree(PACKAGE, tree / "nasdqn_fast", ignore=shutil.ignore_patterns("*.so", "__pycache__", "include"))
    (tree / "ext").mkdir()
    (tree / "tests").mkdir()
    shutil.copy(REPOSITORY / "tests" / "conftest.py", tree / "tests")
    (tree / "tests" / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    (tree / "setup.py").touch()
    return tree


def core_files():
    return [path for path in (PACKAGE / "_core").iterdir() if path.name.endswith(EXTENSION_SUFFIXES[0])]


def python(folder, *args, elsewhere=True):
    """Exit code, stdout and stderr in that folder; the built package is found, too, if it is there `elsewhere`."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if elsewhere:
        env["PYTHONPATH"] = str(PACKAGE.parent)
    done = subprocess.run([sys.executable, *args], cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_command_says_in_one_line_what_hides_the_package(tree):
    assert python(tree, "-m", "nasdqn_fast", "info") == (
        2,
        "",
        f"nasdqn_fast: the source tree {str(tree)!r} has no compiled core, and hides the installed package; run the "
        "commands nasdqn-fast and pytest in place of python -m, or python -P, or go to another folder; or "
        f"{BUILD}\n",
    )


@pytest.mark.parametrize("args", [["-mnasdqn_fast"], ["-m", "nasdqn_fast.cli"], ["-W", "error", "-m", "nasdqn_fast"]])
def test_however_it_is_called(tree, args):
    code, _, error = python(tree, *args, "list", "methods")
    assert (code, error.count("\n")) == (2, 1)


def test_an_import_raises_one_error_without_a_chain(tree):
    code, _, error = python(tree, "-c", "import nasdqn_fast")
    assert code == 1
    assert error.count("Traceback") == 1
    assert error.splitlines()[-1].startswith(f"ImportError: nasdqn_fast: the source tree {str(tree)!r} has no compiled")


def test_a_module_that_imports_the_package_is_not_taken_for_the_command(tree):
    (tree / "theirs.py").write_text("try:\n    import nasdqn_fast\nexcept ImportError:\n    print('without')\n")
    assert python(tree, "-m", "theirs") == (0, "without\n", "")


def test_pytest_as_a_module_says_the_same(tree):
    code, _, error = python(tree, "-m", "pytest", "-p", "no:cacheprovider")
    assert (code, error.count("\n")) == (2, 1)
    assert "has no compiled core, and hides the installed package" in error


def test_without_an_installed_package_it_says_how_to_install_it(tree):
    # -S: a package that is installed for development is found through site.
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    code = f"import sys; sys.path += {libraries!r}; sys.path.insert(0, {str(tree)!r}); import nasdqn_fast"
    if any((Path(folder) / "nasdqn_fast").is_dir() for folder in libraries):
        code = code.replace(repr(libraries), "[]")
    _, _, error = python(tree, "-S", "-c", code, elsewhere=False)
    assert f"has no compiled core; install the package: pip install {tree}; or {BUILD}" in error


@pytest.mark.parametrize("folder", ["ext", "tests"])
def test_its_folders_hide_nothing(tree, folder):
    assert python(tree / folder, "-m", "nasdqn_fast", "list", "methods")[0] == 0


def test_a_core_of_another_python_is_named(tree):
    theirs = [path.name.replace(EXTENSION_SUFFIXES[0], ".cpython-39-x86_64-linux-gnu.so") for path in core_files()]
    for name in theirs:
        (tree / "nasdqn_fast" / "_core" / name).touch()
    code, _, error = python(tree, "-m", "nasdqn_fast")
    assert (code, error.count("\n")) == (2, 1)
    assert f"is of another Python: {min(theirs)} there" in error
    assert f"{EXTENSION_SUFFIXES[0]} wanted" in error
    assert BUILD in error


@pytest.mark.parametrize("missing", ["cpu", "replay", "signals"])
def test_a_core_built_in_part_names_what_is_missing(tree, missing):
    for path in core_files():
        if not path.name.startswith(missing):
            shutil.copy(path, tree / "nasdqn_fast" / "_core")
    code, _, error = python(tree, "-m", "nasdqn_fast")
    assert (code, error.count("\n")) == (2, 1)
    assert f"cannot be loaded (ModuleNotFoundError: No module named 'nasdqn_fast._core.{missing}')" in error


def test_a_damaged_core_is_one_line(tree):
    for path in core_files():
        (tree / "nasdqn_fast" / "_core" / path.name).write_bytes(b"no library")
    code, _, error = python(tree, "-m", "nasdqn_fast")
    assert (code, error.count("\n")) == (2, 1)
    assert "cannot be loaded (ImportError: " in error


def test_a_tree_that_is_built_in_place_works(tree):
    for path in core_files():
        shutil.copy(path, tree / "nasdqn_fast" / "_core")
    code, shown, error = python(tree, "-c", "import nasdqn_fast; print(nasdqn_fast.__file__)", elsewhere=False)
    assert (code, error) == (0, "")
    assert Path(shown.strip()) == tree / "nasdqn_fast" / "__init__.py"
    assert python(tree, "-m", "nasdqn_fast", "list", "methods", elsewhere=False)[0] == 0


def test_an_installation_without_its_core_is_to_be_installed_again(tree):
    (tree / "setup.py").unlink()
    code, _, error = python(tree, "-m", "nasdqn_fast")
    assert (code, error.count("\n")) == (2, 1)
    assert "has no compiled core; install it again: pip install --force-reinstall" in error
