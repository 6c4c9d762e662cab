"""`resume` with a number of episodes: runs that are made longer, and what is kept for it."""

import warnings

import numpy as np
import pytest
from left_runs import TINY, contents, interrupting_at, lines

from nasdqn_fast.cli import main
from nasdqn_fast.config import resolve
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import STOP, Asked, Played
from nasdqn_fast.run import run as run_module
from nasdqn_fast.run.api import resume, train

SMALL = TINY | {"method": "random-nas", "episodes": 8, "switch_every": 4}


def asked(run):
    return [line["episode"] for line in lines(run, "ask")]


class Killed(BaseException):
    """As SIGKILL: nothing is saved after it."""


@pytest.mark.quick_only(chosen={"method": "nas-dqn", "transfer": "overlap", "optimizer": "adam"})
@pytest.mark.quick_only(chosen={"method": "fixed-small", "episodes": 7, "num_envs": 3})
@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"method": "nas-dqn", "transfer": "overlap", "optimizer": "adam"},
        {"num_envs": 3, "estimator": "greedy"},
        {"backend": "numpy", "episodes": 4},
        {"method": "fixed-small"},
        {"method": "fixed-small", "episodes": 7, "num_envs": 3},  # one segment as long as the run, whatever M is
        {"checkpoint_every": "1"},
    ],
    ids=str,
)
def test_a_finished_run_that_is_made_longer_is_the_long_run(tmp_path, chosen):
    options = SMALL | chosen
    whole = train(**options | {"episodes": 14}, out=tmp_path / "whole")
    train(**options, out=tmp_path / "longer")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = resume(tmp_path / "longer", episodes=14)
    assert contents(tmp_path / "longer") == contents(tmp_path / "whole")
    assert result.segments == whole.segments
    np.testing.assert_array_equal(result.episodes.returns, whole.episodes.returns)


def test_a_run_of_so_many_steps_cannot_have_more_episodes(tmp_path):
    """And one that has more episodes than the default stops all the same when a listener wants it to."""
    options = {"method": "fixed-small", "env": "cartpole", "max_episode_steps": 1, "warm_up": 10**6, "steps": 2_400}

    def listener(event):
        return STOP if isinstance(event, Played) and played.append(event) is None and len(played) == 2_100 else None

    played = []
    with pytest.warns(UserWarning, match="no update was made"):
        result = train(**options, out=tmp_path, progress=listener)
    assert len(result.episodes) == 2_100
    assert result.status.startswith("stopped")
    before = (tmp_path / "config.toml").read_bytes()
    with pytest.raises(InputError, match="ends after 2,400 steps, whatever its episodes"):
        resume(tmp_path, episodes=3_000)
    assert (tmp_path / "config.toml").read_bytes() == before


def test_a_run_is_made_longer_again_and_again(tmp_path):
    train(**SMALL | {"episodes": 20}, out=tmp_path / "whole")
    train(**SMALL | {"episodes": 4}, out=tmp_path / "longer")
    for episodes in (8, 16, 20):
        resume(tmp_path / "longer", episodes=episodes)
        assert len(list((tmp_path / "longer" / "checkpoints").iterdir())) == 1
    assert contents(tmp_path / "longer") == contents(tmp_path / "whole")


def test_a_segment_that_the_end_cut_short_is_followed_by_a_new_one(tmp_path):
    train(**SMALL | {"episodes": 6}, out=tmp_path)
    with pytest.warns(UserWarning, match="segment 2 ended with the run, after episode 6: a new segment begins there"):
        result = resume(tmp_path, episodes=12)
    assert [(segment.first, segment.last) for segment in result.segments] == [(1, 4), (5, 6), (7, 10), (11, 12)]
    assert asked(tmp_path) == [1, 5, 7, 11]
    assert resolve(tmp_path / "config.toml").run.episodes == 12


def test_an_interrupted_run_is_made_longer(tmp_path):
    """In the middle of its last segment, which is cut short no more."""
    train(**SMALL | {"episodes": 14}, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(**SMALL | {"episodes": 6}, out=tmp_path / "longer", progress=interrupting_at(5, Played))
    resume(tmp_path / "longer", episodes=14)
    assert contents(tmp_path / "longer") == contents(tmp_path / "whole")


@pytest.mark.quick_only(method="random-nas")
@pytest.mark.parametrize("place", ["forget_end", "write_config", "warn"])
@pytest.mark.parametrize("method", ["random-nas", "fixed-small"])
def test_a_process_killed_while_it_makes_a_run_longer_loses_nothing(tmp_path, monkeypatch, method, place):
    """The run is the finished one still, or the longer one; both can be made longer."""

    def die(*args, **keywords):
        raise Killed

    options = SMALL | {"method": method}
    train(**options, out=tmp_path / "short")
    train(**options | {"episodes": 12}, out=tmp_path / "long")
    train(**options, out=tmp_path / "run")
    with monkeypatch.context() as patch:
        if place == "warn":
            patch.setattr(run_module.Run, "_warn_of_changes", die)
        else:
            patch.setattr(run_module, place, die)
        with pytest.raises(Killed):
            resume(tmp_path / "run", episodes=12)
    resume(tmp_path / "run")
    assert contents(tmp_path / "run") == contents(tmp_path / ("long" if place == "warn" else "short"))
    if place != "warn":
        resume(tmp_path / "run", episodes=12)
        assert contents(tmp_path / "run") == contents(tmp_path / "long")


@pytest.mark.parametrize("episodes", [8, 3])
def test_a_length_that_the_run_has_already_is_refused(tmp_path, episodes):
    train(**SMALL, out=tmp_path)
    before = contents(tmp_path)
    with pytest.raises(InputError, match=rf"has 8 episodes already; got episodes = {episodes}; give more than 8"):
        resume(tmp_path, episodes=episodes)
    assert contents(tmp_path) == before
    assert resume(tmp_path) is None


def test_a_run_that_keeps_no_checkpoints_says_that_it_cannot_be_made_longer(tmp_path):
    train(**SMALL | {"checkpoint_every": "never"}, out=tmp_path)
    assert not (tmp_path / "checkpoints").exists()
    with pytest.raises(InputError, match=r"has kept no state to continue from, as with checkpoint_every never"):
        resume(tmp_path, episodes=12)


def test_a_run_without_a_checkpoint_starts_over_with_the_new_length(tmp_path):
    def die(event):
        if isinstance(event, Asked):
            raise SystemExit

    train(**SMALL | {"episodes": 12}, out=tmp_path / "whole")
    with pytest.raises(SystemExit):
        train(**SMALL | {"checkpoint_every": "never"}, out=tmp_path / "run", progress=die)
    for path in (tmp_path / "run" / "checkpoints").iterdir():
        path.unlink()
    for name in ("summary.json", "network.safetensors"):
        (tmp_path / "run" / name).unlink()
    with pytest.warns(UserWarning, match="starting over"):
        resume(tmp_path / "run", episodes=12)
    short = contents(tmp_path / "run")
    assert short.pop("config.toml") != contents(tmp_path / "whole")["config.toml"]  # checkpoint_every
    assert short["episodes.csv"] == contents(tmp_path / "whole")["episodes.csv"]


def test_on_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    train(**SMALL, out="run")
    assert main(["resume", "run", "--episodes", "9"]) == 0
    assert len((tmp_path / "run" / "episodes.csv").read_text().splitlines()) == 10
    capsys.readouterr()
    assert main(["resume", "run", "--episodes", "9"]) == 2
    assert capsys.readouterr().err.startswith("nasdqn-fast: the run in 'run' has 9 episodes already; got")
    assert main(["resume", "run", "--episodes", "0"]) == 2
    assert "episodes" in capsys.readouterr().err
