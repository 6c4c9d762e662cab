"""``evaluate``, ``list``, ``info``, and what starting the command costs."""

import re
import subprocess
import sys

import pytest

from nasdqn_fast import plugins
from nasdqn_fast._core import cpu
from nasdqn_fast.config import PROFILES, all_methods
from nasdqn_fast.controllers.nas_dqn import NASDQN
from nasdqn_fast.options import options_of
from nasdqn_fast.run.evaluation import evaluate
from nasdqn_fast.storage import cache


def test_evaluate_prints_the_greedy_returns(run, tmp_path, tiny):
    run("train", *tiny, "--episodes", 2, "--out", "out")
    code, out, err = run("evaluate", "out", "--episodes", 7, "--seed", 5)
    returns = evaluate(tmp_path / "out", 7, seed=5).returns
    assert (code, err) == (0, "")
    assert re.search(r"\d+(\.\d+)?", out)[0] == f"{returns.mean():.2f}"  # the first number of all
    assert "7 episodes, network of network.safetensors" in out
    expected = {"mean": returns.mean(), "standard deviation": returns.std(), "min": returns.min(), "max": returns.max()}
    for name, value in expected.items():
        assert re.search(rf"{name} +\S +{value:.2f} ", out), name
    assert "regret" not in out


def test_evaluate_prints_the_regret_of_the_pendulum(run, tmp_path):
    run("train", "--method", "fixed-small", "--max-episode-steps", 20, "--episodes", 1, "--out", "out")
    _, out, _ = run("evaluate", "out", "--episodes", 3)
    assert re.search(rf"regret +\S +{evaluate(tmp_path / 'out', 3).regret:.2f} ", out)


@pytest.mark.parametrize(
    ("topic", "names"),
    [
        ("methods", list(all_methods())),
        ("environments", plugins.names("environments")),
        ("controllers", plugins.names("controllers")),
        ("transfers", plugins.names("transfers")),
        ("estimators", plugins.names("estimators")),
        ("profiles", list(PROFILES)),
    ],
)
def test_list_names_and_describes_all(run, topic, names):
    code, out, _ = run("list", topic)
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert code == 0
    assert [line[0] for line in lines] == names
    assert all(len(line) == 2 for line in lines)


def test_list_describes_one_plug_in(run):
    code, out, _ = run("list", "controllers", "nas-dqn")
    assert code == 0
    assert out.startswith("NAS-DQN: ")
    for about in options_of(NASDQN.Options):
        expected = f"  {about.name}  {about.help}\n    {about.values} [default: {about.shown}; {about.source}]\n"
        assert expected in out
    assert "\nNo options.\n" in run("list", "transfers", "fresh")[1]


def test_list_describes_one_environment(run):
    _, out, _ = run("list", "environments", "inverted-pendulum")
    assert "  mass  a finite number > 0 [default: 1]\n" in out
    assert "Starts (--start NAME), the first is the default: upright, uniform, hanging\n" in out


def test_info_tells_versions_targets_and_cache(run):
    code, out, _ = run("info")
    assert code == 0
    for package in ("nasdqn-fast", "python", "numpy", "numba"):
        assert re.search(rf"^{package} .*\d+\.\d+", out, re.MULTILINE), package
    assert re.search(rf"^cpu target +{cpu.current()}$", out, re.MULTILINE)
    assert re.search(rf"^cpu targets available +{', '.join(cpu.available())}$", out, re.MULTILINE)
    assert re.search(rf"^cache directory +{re.escape(str(cache.directory()))}$", out, re.MULTILINE)


def test_version(run):
    code, out, _ = run("--version")
    assert (code, bool(re.fullmatch(r"nasdqn-fast, version \d+\.\d+\.\d+\S*\n", out))) == (0, True)


@pytest.mark.quick_only(args=["train", "--help"])
@pytest.mark.parametrize("args", [["--help"], ["train", "--help"], ["list", "methods"]])
def test_starting_imports_nothing_heavy(args, tmp_path):
    code = (
        "import sys; from nasdqn_fast.cli import main; main(sys.argv[1:]);"
        "print([m for m in ('numba', 'rich', 'matplotlib', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
