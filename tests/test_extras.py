"""A package that is missing is named with the extra that installs it, in one line."""

import subprocess
import sys

import pytest

from nasdqn_fast.errors import InputError
from nasdqn_fast.extras import optional

HIDDEN = """
import sys
sys.modules[{package!r}] = None  # as if it were not installed
from nasdqn_fast import QNetwork
try:
    {statement}
except ImportError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.quick_only(package={"torch", "ConfigSpace"}, extra={"sb3", "search"})
@pytest.mark.parametrize(
    ("package", "extra", "statement"),
    [
        ("torch", "torch", "import nasdqn_fast.interop.torch"),
        ("torch", "sb3", "import nasdqn_fast.interop.sb3"),
        ("torch", "sb3", "import nasdqn_fast.interop.sb3_model"),
        ("onnx", "onnx", "from nasdqn_fast.interop.onnx import to_model; to_model(QNetwork('1x1-relu', 1, 1))"),
        (
            "ConfigSpace",
            "search",
            "from nasdqn_fast import SearchSpace; from nasdqn_fast.interop.configspace import configuration_space; "
            "configuration_space(SearchSpace(['1x1-relu']))",
        ),
        ("tensorboard", "tensorboard", "from nasdqn_fast.interop.tensorboard import TensorBoard; TensorBoard('logs')"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(package, extra, statement):
    code = HIDDEN.format(package=package, statement=statement)
    finished = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    message = f"{package} is not installed, which this needs: pip install 'nasdqn-fast[{extra}]'"
    assert finished.stdout == f"MissingExtra {message}\n"


def test_the_command_says_so_in_one_line(tmp_path):
    code = HIDDEN.format(package="onnx", statement="from nasdqn_fast.cli import main; sys.exit(main(sys.argv[1:]))")
    command = [sys.executable, "-P", "-c", code, "export", str(tmp_path / "run"), "--to", str(tmp_path / "out")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 2
    message = "onnx is not installed, which this needs: pip install 'nasdqn-fast[onnx]'"
    assert finished.stderr == f"nasdqn-fast: {message}\n"
    assert not (tmp_path / "out").exists()


def test_a_package_that_lacks_something_itself_says_what(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import what_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_is_not_there"):
        optional("half_installed", "half")


def test_the_error_is_one_of_input_and_of_import():
    with pytest.raises(ImportError) as caught:
        optional("what_is_not_there.either", "none")
    assert isinstance(caught.value, InputError)
