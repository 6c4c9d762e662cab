"""The compiled core. Sources: ext/*.pyx and ext/kernels/*.c."""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from pathlib import Path


def load() -> None:
    """Loads the whole core, so that a missing or broken build shows at once.

    Raises:
        ImportError: it cannot be loaded; one line says why, and what to do.
        SystemExit: the same for the command, with exit code 2.
    """
    try:
        for name in ("cpu", "loop", "signals"):  # the loop imports all others
            importlib.import_module(f"{__name__}.{name}")
    except Exception as error:  # a core built against another NumPy may raise whatever it likes
        message = f"nasdqn_fast: {_reason(error)}"
        if not _is_command():
            raise ImportError(message, name=__name__, path=__file__) from None
    else:
        return
    if sys.stderr is not None:
        print(message, file=sys.stderr)
    raise SystemExit(2)


def _reason(error: Exception) -> str:
    core, tree = Path(__file__).parent, Path(__file__).parents[2]
    in_tree = (tree / "setup.py").is_file() and (tree / "ext").is_dir()
    where = f"the source tree {str(tree)!r}" if in_tree else f"the installation in {str(core.parent)!r}"
    built = {path.name.partition(".")[0]: path.name for path in core.iterdir() if path.suffix in (".so", ".pyd")}
    usable = {name for name, file in built.items() if file.removeprefix(name) in EXTENSION_SUFFIXES}
    if not built:
        problem = f"{where} has no compiled core"
    elif not usable:
        example = min(built.values())
        problem = f"the compiled core in {where} is of another Python: {example} there, {EXTENSION_SUFFIXES[0]} wanted"
    else:
        line = " ".join(str(error).split())
        problem = f"the compiled core in {where} cannot be loaded ({type(error).__name__}: {line})"
    if not in_tree:
        return f"{problem}; install it again: pip install --force-reinstall --no-deps nasdqn-fast"
    build = "python setup.py build_ext --inplace --force"
    if _is_installed_elsewhere(tree):
        return (
            f"{problem}, and hides the installed package; run the commands nasdqn-fast and pytest in place of "
            f"python -m, or python -P, or go to another folder; or build the core in the tree: {build}"
        )
    return f"{problem}; install the package: pip install {tree}; or build the core in the tree: {build}"


def _is_installed_elsewhere(tree: Path) -> bool:
    folders = [folder for folder in sys.path if Path(folder or ".").resolve() != tree.resolve()]
    return PathFinder.find_spec("nasdqn_fast", folders) is not None


def _is_command() -> bool:
    """Whether this process is ``python -m nasdqn_fast`` or ``nasdqn-fast``, and no program that imports the package."""
    argv = getattr(sys, "argv", None) or [""]
    if argv[0] == "-m":  # as long as Python looks for the module
        module = sys.orig_argv[-len(argv)].removeprefix("-m")
        return module.partition(".")[0] == "nasdqn_fast"
    return Path(argv[0]).stem == "nasdqn-fast"
