"""Plug-ins are found by their files' names; oracle: the folders' contents, and modules written here."""

import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import nasdqn_fast
from nasdqn_fast import plugins
from nasdqn_fast.errors import InputError


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes an importable module and returns its name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        return name

    yield write
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def test_environments_are_the_files_of_their_folder():
    files = {path.stem for path in Path(nasdqn_fast.__file__).with_name("envs").glob("*.py")}
    shared = {"kernel", "trigonometry"}
    assert {"__init__", *shared} < files
    expected = {stem.replace("_", "-") for stem in files - shared if not stem.startswith("_")}
    assert plugins.names("environments") == sorted(expected)
    assert {"inverted-pendulum", "cartpole"} <= expected


@pytest.mark.parametrize("kind", plugins.KINDS)
def test_every_plug_in_is_found_and_described(kind):
    assert plugins.names(kind)
    for name, line in plugins.describe(kind).items():
        assert plugins.find(kind, name) is not None
        assert len(line) > 10, f"{name} is described by {line!r}"


@pytest.mark.parametrize("kind", plugins.KINDS)
def test_no_options_of_a_plug_in_can_be_changed_once_they_are_made(kind):
    """The defaults are one object for all."""
    for name in plugins.names(kind):
        options = getattr(plugins.find(kind, name), "Options", None)
        assert options is None or options.__dataclass_params__.frozen, name


def test_names_and_descriptions_import_no_plug_in():
    """But environments, whose Gymnasium ids stand in their files and are registered with the package."""
    code = """
import sys
from nasdqn_fast import plugins
for kind, folder in plugins.KINDS.items():
    if kind == "environments":
        continue
    modules = {f"nasdqn_fast.{folder}." + name.replace("-", "_") for name in plugins.describe(kind)}
    assert not modules & set(sys.modules), modules & set(sys.modules)
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_only_the_chosen_file_is_imported():
    code = """
import sys
from nasdqn_fast import plugins
plugins.find("transfers", "overlap")
assert "nasdqn_fast.transfers.matching" not in sys.modules
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"unknown environment 'cart-pole': did you mean 'cartpole'\?"):
        plugins.find("environments", "cart-pole")


@pytest.mark.parametrize("name", ["kernel", "trigonometry", "-compile", "--init--", "", "../envs/cartpole"])
def test_files_that_are_no_plug_ins_are_not_found(name):
    with pytest.raises(InputError, match="unknown environment"):
        plugins.find("environments", name)


def test_third_party_attribute_is_found(module):
    name = module("their_controllers", "class Greedy: pass")
    assert plugins.find("controllers", f"{name}:Greedy").__name__ == "Greedy"


def test_missing_module_says_how_to_make_it_importable():
    with pytest.raises(InputError, match=r"No module named 'nowhere_at_all'; install its package, .* PYTHONPATH"):
        plugins.find("transfers", "nowhere_at_all:plugin")


def test_missing_dependency_is_not_taken_for_the_module(module):
    name = module("their_dependent", "import nowhere_at_all")
    with pytest.raises(InputError, match=r"No module named 'nowhere_at_all'$"):
        plugins.find("transfers", f"{name}:plugin")


def test_missing_attribute_names_module_and_attribute(module):
    name = module("their_transfers", "")
    with pytest.raises(InputError, match="module 'their_transfers' has no attribute 'plugin'"):
        plugins.find("transfers", f"{name}:plugin")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise OSError('mine')", OSError),
        ("raise BrokenPipeError('mine')", BrokenPipeError),
        ("raise ValueError('mine')", ValueError),
        ("1 / 0", ZeroDivisionError),
        ("nowhere", NameError),
        ("def half(:", SyntaxError),
        ("raise KeyboardInterrupt", KeyboardInterrupt),
    ],
)
def test_a_bug_in_a_module_is_no_wrong_name(module, code, error):
    """Its author needs the traceback."""
    with pytest.raises(error):
        plugins.find("environments", module("their_broken", code) + ":plugin")


@pytest.mark.parametrize("code", ["raise ImportError('two\\nlines')", "from nasdqn_fast import nosuch"])
def test_an_import_that_fails_is_one_line_naming_the_module(module, code):
    with pytest.raises(InputError, match="importing 'their_importing' failed: ImportError: ") as raised:
        plugins.find("environments", module("their_importing", code) + ":plugin")
    assert "\n" not in str(raised.value)


def test_what_this_package_refuses_in_a_module_is_one_line(module):
    name = module("their_refused", "from nasdqn_fast.plugins import find\nfind('transfers', 'nosuch')")
    with pytest.raises(InputError, match="importing 'their_refused' failed: UnknownName: unknown transfer 'nosuch'"):
        plugins.find("environments", f"{name}:plugin")


def test_a_module_that_exits_when_imported_is_an_error_like_others(module):
    name = module("their_script", "import sys; sys.exit('usage: script')")
    with pytest.raises(InputError, match="importing 'their_script' failed: SystemExit: usage: script"):
        plugins.find("environments", f"{name}:plugin")


@pytest.mark.parametrize("name", [":plugin", "their_module:", ":"])
def test_half_a_name_is_refused(module, name):
    module("their_module", "plugin = 1")
    with pytest.raises(InputError, match="module:attribute"):
        plugins.find("environments", name)


@pytest.mark.parametrize("kind", plugins.KINDS)
def test_the_address_of_a_built_in_is_its_name(kind):
    for name in plugins.names(kind):
        plugin = plugins.find(kind, name)
        assert plugins.address(kind, plugin, *getattr(plugin, "modules", ())) == name


def test_an_address_leads_back_to_the_very_object(module):
    name = module("their_classes", "class A: pass\nclass B: pass\nplugin = B()\nunnamed = lambda: 0")
    for attribute in ("A", "plugin", "unnamed"):
        found = plugins.find("transfers", f"{name}:{attribute}")
        assert plugins.address("transfers", found) == f"{name}:{attribute}" or attribute == "unnamed"
        assert plugins.find("transfers", plugins.address("transfers", found)) is found


def test_an_object_without_a_name_has_no_address(module):
    theirs = plugins.find("transfers", module("their_factory", "def make():\n    return lambda: 0") + ":make")
    with pytest.raises(InputError, match=r"the transfer their_factory:make.<locals>.<lambda> is no attribute of a mod"):
        plugins.address("transfers", theirs())


def test_a_name_of_a_script_is_explained():
    with pytest.raises(InputError, match=r"module '__main__' has no attribute 'gone'; it was defined in a script"):
        plugins.find("transfers", "__main__:gone")


def test_name_must_be_a_string():
    with pytest.raises(TypeError, match="must be a string, got int"):
        plugins.find("environments", 3)


def test_docstrings_are_read_in_threads():
    """While CPython 3.11 parses, a callback of the garbage collector may hand over to another thread."""
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()

    def callback(*_):
        sum(range(50))

    gc.callbacks.append(callback)
    gc.set_threshold(20)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            pages = list(pool.map(lambda _: plugins.describe("environments"), range(40)))
    finally:
        gc.callbacks.remove(callback)
        gc.set_threshold(*threshold)
        sys.setswitchinterval(interval)
    assert all(page == pages[0] for page in pages)
