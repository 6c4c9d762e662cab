"""Bad input is one line on stderr and exit code 2, and nothing is written."""

import os
import subprocess
import sys

import pytest

from nasdqn_fast.envs._compiler import compile as _compile


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("train --method nas-dnq", "unknown --method 'nas-dnq': did you mean 'nas-dqn'?"),
        ("train --env cartpool", "unknown environment 'cartpool': did you mean 'cartpole'?"),
        ("train --transfer machting", "unknown transfer 'machting': did you mean 'matching'?"),
        ("train --profile papper", "unknown --profile 'papper': did you mean 'paper'?"),
        ("train --epsiodes 3", "'--episodes'"),
        ("trian", "unknown command 'trian': did you mean 'train'?"),
        ("", "Missing command"),
        ("list method", "'method' is not one of 'methods'"),
        ("list", "Missing argument 'TOPIC'"),
        ("evaluate", "Missing argument 'RUN'"),
        ("evaluate nosuch", "'nosuch' is not a run directory"),
        ("evaluate nosuch --episodes 0", "0 is not in the range x>=1"),
        ("train --episodes -5", "--episodes must be an integer >= 1; got -5"),
        ("train --episodes abc", "'abc' is not a valid integer"),
        ("train --gamma", "--gamma"),
        ("train --gamma nan", "--gamma must be a number in [0, 1]; got nan"),
        ("train --learning-rate inf", "--learning-rate must be a finite number > 0; got inf"),
        ("train --backend nump", "unknown --backend 'nump': did you mean 'numpy'?"),
        ("train --activations ReLU", "unknown --activations[0] 'ReLU': did you mean 'relu'?"),
        ("train --architectures 3x64-ReLU", "unknown activation 'ReLU': did you mean 'relu'?"),
        ("train --optimizer Adam", "unknown --optimizer 'Adam': did you mean 'adam'?"),
        ("train --method NASDQN", "unknown --method 'NASDQN': did you mean 'nas-dqn'?"),
        ("train --env Cart-Pole", "unknown environment 'Cart-Pole': did you mean 'cartpole'?"),
        ("train --optimizer adm", "unknown --optimizer 'adm': did you mean 'adam'?"),
        ("train --horizon-is terminated", "unknown --horizon-is 'terminated': did you mean 'terminal'?"),
        ("train --replay-keep-which new", "unknown --replay-keep-which 'new': did you mean 'newest'?"),
        ("train --method fixed", "method fixed needs an architecture"),
        ("train --method fixed --architecture 3y64", "malformed architecture '3y64'"),
        ("train --architectures 3x64-relu,64,32-tanh,zz", "malformed architecture 'zz'"),
        ("train --depths=", "the search space is empty"),
        ("train --depths 2,x", "'x' is not a valid integer"),
        (
            "train --batch-size 100 --replay-capacity 50",
            "--batch-size must be at most --replay-capacity (50); got 100; lower --batch-size or raise --replay-",
        ),
        ("train --episodes 100 --switch-every 200", "--switch-every must be at most --episodes (100); got 200"),
        ("train --replay-capacity 9999999999", "--replay-capacity must be an integer from 1 to 4294967295"),
        ("train --num-envs 4611686018427387904", "--num-envs must be an integer from 1 to 1048576"),
        ("train --env-param gravity", "'gravity' is not KEY=NUMBER"),
        ("train --env-param gravity=x", "'x' is not a valid float"),
        ("train --env-param gravty=1", "unknown environment parameter 'gravty': did you mean 'gravity'?"),
        ("train --config nosuch.toml", "cannot read the config file 'nosuch.toml'"),
        ("train surplus", "surplus"),
        ("train --gamma 2 --config nosuch.toml", "cannot read the config file 'nosuch.toml'"),
        ("train --controller-option c", "'c' is not KEY=VALUE, as temperature=1.5"),
        ("train --controller-option c=1", "controller 'random': unknown option 'c': there are none"),
        (
            "train --method nas-dqn --controller-option temprature=1",
            "unknown option 'temprature': did you mean 'temp",
        ),
        (
            "train --method nas-dqn --controller-option temperature=x",
            "temperature must be a finite number > 0; got",
        ),
        (
            "train --method nas-dqn --controller-option temperature=0",
            "--controller-temperature must be a finite",
        ),
        (
            "train --method nas-dqn --controller-option temperature=1 --controller-temperature 2",
            "--controller-temperature must be given once; got the controller's option 'temperature', too",
        ),
        ("train --transfer-option n=1", "transfer 'matching': unknown option 'n': there are none"),
        ("list controllers nas-dnq", "unknown controller 'nas-dnq': did you mean 'nas-dqn'?"),
        ("list methods nas-dqn", "only environments, controllers, transfers"),
        ("train --env nosuch:thing", "importing 'nosuch' failed"),
    ],
)
def test_bad_input_is_one_line(run, tmp_path, args, message):
    code, out, err = run(*args.split())
    assert code == 2
    assert out == ""
    assert err.startswith("nasdqn-fast: ")
    assert err.count("\n") == 1
    assert message in err
    assert "Usage" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_output_directory_in_use_is_refused_untouched(run, tmp_path, tiny):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("precious")
    code, _, err = run("train", *tiny, "--out", out)
    assert (code, err.count("\n")) == (2, 1)
    assert "exists and is not empty" in err
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [("mine", "precious")]


def test_a_damaged_network_is_one_line(run, tmp_path, tiny):
    run("train", *tiny, "--episodes", 2, "--out", "a")
    (tmp_path / "a" / "network.safetensors").write_bytes(b"PK\x03\x04")
    code, out, err = run("evaluate", "a")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "network.safetensors" in err


def test_divergence_is_one_line(run, tiny):
    args = [*tiny, "--method", "fixed-small", "--learning-rate", 1e30, "--episodes", 50]
    code, _, err = run("train", *args)
    assert (code, err.count("\n")) == (1, 1)
    assert "lower learning_rate" in err


@pytest.mark.filterwarnings("default")
def test_a_warning_is_one_line(run, tmp_path, tiny, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NASDQN_FAST_CACHE_DIR", str(tmp_path / "file"))
    _compile.forget()
    _compile._warn_once.cache_clear()
    code, _, err = run("train", *tiny, "--episodes", 1, "--out", "out")
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("nasdqn-fast: warning: compiled environments cannot be kept on disk (")


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("file", "the output directory 'file' is a file; choose another"),
        ("file/below", "the output directory 'file/below' cannot be written"),
        ("/proc/nowhere", "the output directory '/proc/nowhere' cannot be written"),
    ],
)
def test_an_output_directory_that_cannot_be_is_one_line(run, tmp_path, tiny, out, message):
    (tmp_path / "file").write_text("precious")
    code, output, err = run("train", *tiny, "--out", out)
    assert (code, output, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"nasdqn-fast: {message}")
    assert (tmp_path / "file").read_text() == "precious"


def test_an_unknown_cpu_target_is_one_line(tmp_path):
    command = [sys.executable, "-m", "nasdqn_fast", "train", "--episodes", "1"]
    environment = os.environ | {"NASDQN_FAST_CPU": "foo"}
    process = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout, process.stderr.count("\n")) == (2, "", 1)
    assert process.stderr.startswith("nasdqn-fast: environment variable NASDQN_FAST_CPU: 'foo' is not a CPU target")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.quick_only(option="--env")
@pytest.mark.parametrize(
    ("option", "bug"),
    [
        ("--env", "1 / 0"),
        ("--method", "open('/not/there')"),
        ("--transfer", "raise BrokenPipeError"),
        ("--estimator", "def half(:"),
    ],
)
def test_a_bug_in_a_users_module_shows_its_traceback(tmp_path, option, bug):
    (tmp_path / "buggy.py").write_text(f"# mine\n{bug}\n")
    process = subprocess.run(
        [sys.executable, "-m", "nasdqn_fast", "train", option, "buggy:plugin"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert 'buggy.py", line 2' in process.stderr
    assert process.stderr.startswith("Traceback")
    assert not (tmp_path / "runs").exists()
