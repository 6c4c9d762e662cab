"""What a run leaves for others: four files, each of which gives the run's Q-values, by the README's own lines."""

import contextlib
import io
import json
import re

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed")

import nasdqn_fast
from nasdqn_fast import QNetwork
from nasdqn_fast.cli import main
from nasdqn_fast.errors import InputError
from nasdqn_fast.interop.export import export

FILES = {"network.safetensors", "network.onnx", "README.md", "config.json"}
SMALL = {"episodes": 12, "warm_up": 30, "batch_size": 8, "max_episode_steps": 30}
NORMALIZING = [pytest.param(False, id="raw"), pytest.param(True, id="normalizing")]


@pytest.fixture(scope="module", params=NORMALIZING)
def exported(request, tmp_path_factory):
    """A run's result, and what was exported of it."""
    folder = tmp_path_factory.mktemp("export")
    result = nasdqn_fast.train(
        "fixed", "cartpole", architecture="16,8-leaky_relu", seed=3, evaluate_every=4, evaluate_episodes=3,
        normalize_observations=request.param, out=folder / "run", **SMALL,
    )  # fmt: skip
    evaluation = export(folder / "run", folder / "out", episodes=20)
    return result, evaluation, folder / "out"


def snippets(folder):
    """The README's blocks of Python: nasdqn_fast's, PyTorch's, ONNX Runtime's."""
    return re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def executed(code, folder, monkeypatch):
    """The names that the code has defined, and what it printed."""
    monkeypatch.chdir(folder)
    names, out = {}, io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), names)
    assert out.getvalue()
    return names


def test_exactly_four_files(exported):
    _, _, folder = exported
    assert {path.name for path in folder.iterdir()} == FILES


def test_the_readme_states_the_returns_with_their_interval(exported):
    """Oracle: the standard error of the mean, which 20 episodes put the bootstrap's percentiles near."""
    _, evaluation, folder = exported
    readme = (folder / "README.md").read_text(encoding="utf-8")
    mean, low, high = map(float, re.search(r"\*\*(.*?)\*\*, 95 % interval (\S+) to ([\d.-]+):", readme).groups())
    returns = evaluation.returns
    error = returns.std() / np.sqrt(len(returns))
    assert mean == pytest.approx(returns.mean(), abs=0.01)
    assert low == pytest.approx(mean - 1.96 * error, abs=0.35 * error + 0.02)
    assert high == pytest.approx(mean + 1.96 * error, abs=0.35 * error + 0.02)
    assert "Method `fixed` on `cartpole`, seed 3, 12 episodes" in readme
    assert all(f"| `{name}` |" in readme for name in FILES - {"README.md"})


def test_the_config_repeats_network_and_training(exported):
    result, evaluation, folder = exported
    about = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert about["format"] == 1
    assert about["sizes"] == [4, 16, 8, 2]
    assert (about["architecture"], about["activation"]) == ("16,8-leaky_relu", "leaky_relu")
    assert about["training"] == json.loads(json.dumps(result.config.as_dict()))
    assert about["evaluation"]["mean_return"] == evaluation.returns.mean()
    assert about["normalizes_observations"] == result.config.agent.normalize_observations


def test_five_lines_load_it_with_nasdqn_fast(exported, monkeypatch):
    result, _, folder = exported
    code = snippets(folder)[0]
    assert len(code.splitlines()) == 5
    network = executed(code, folder, monkeypatch)["network"]
    assert network.parameters.tobytes() == result.network.parameters.tobytes()


def test_five_lines_load_it_with_pytorch(exported, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    result, _, folder = exported
    code = snippets(folder)[1]
    assert len(code.splitlines()) == 5
    module = executed(code, folder, monkeypatch)["module"]
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.from_numpy(x)), result.network.forward(x), rtol=1e-5, atol=1e-5)


def test_five_lines_load_it_with_onnx_runtime(exported, monkeypatch):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    result, _, folder = exported
    code = snippets(folder)[2]
    assert len(code.splitlines()) == 5
    session = executed(code, folder, monkeypatch)["session"]
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    q_values, actions = session.run(None, {"observations": x})
    np.testing.assert_allclose(q_values, result.network.forward(x), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(actions, result.network.predict(x))


def test_the_command_exports_the_best_or_the_last_network(exported, capsys):
    result, _, folder = exported
    run = folder.parent / "run"
    for which, network in (("best", result.best_network), ("last", result.network)):
        to = folder.parent / which
        assert main(["export", str(run), "--to", str(to), "--network", which, "--episodes", "2"]) == 0
        assert {path.name for path in to.iterdir()} == FILES
        loaded = QNetwork.load(to / "network.safetensors")
        assert loaded.parameters.tobytes() == network.parameters.tobytes()
        assert f"This is the {which} network of the run `run`" in (to / "README.md").read_text(encoding="utf-8")
    assert f"written to {to}" in capsys.readouterr().out.replace("\n", " ")


def test_what_is_there_is_not_touched(exported, tmp_path):
    _, _, folder = exported
    with pytest.raises(InputError, match="exists and is not empty; choose another"):
        export(folder.parent / "run", folder)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file; choose another"):
        export(folder.parent / "run", tmp_path / "file")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("nothing --to out", "'nothing' is not a run directory"),
        ("nothing", "Missing option '--to'"),
        ("nothing --to out --episodes 1", "1 is not in the range x>=2"),
        ("nothing --to out --network worst", "'worst' is not one of 'last', 'best'"),
    ],
)
def test_bad_arguments_are_told_in_one_line(arguments, reason, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", *arguments.split()]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert not list(tmp_path.iterdir())
