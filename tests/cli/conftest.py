import pytest

from nasdqn_fast.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs the command in a folder of its own: arguments -> (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def command(*args):
        code = main([str(arg) for arg in args])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def tiny():
    """Options of a run whose episodes take a millisecond at most."""
    env = ["--env", "cartpole", "--max-episode-steps", "20"]
    return [*env, "--architectures", "1x4-relu,5,3-tanh", "--warm-up", "10", "--batch-size", "4"]
