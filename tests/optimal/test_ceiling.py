"""The optimum kept on disk: computed once for each physics, and again when the file is not sound."""

import json

import numpy as np
import pytest

from nasdqn_fast import envs, optimal
from nasdqn_fast.errors import InputError
from nasdqn_fast.optimal import ceiling

OPTIMA = {}  # physics -> its optimum: the same for all tests, and slow to compute


@pytest.fixture
def computations(monkeypatch, tmp_path):
    """The environments that the optimum was computed for; small grids, and a cache directory of the test's own."""
    monkeypatch.setenv("NASDQN_FAST_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(ceiling, "POINTS", (36, 21))
    monkeypatch.setattr(ceiling, "COARSE_POINTS", (18, 11))
    monkeypatch.setattr(ceiling, "ROLLOUTS", 50)
    compute, computed = ceiling._compute, []

    def recording(environment):
        computed.append(environment)
        physics = json.dumps(ceiling._key(environment), sort_keys=True)
        if physics not in OPTIMA:
            OPTIMA[physics] = compute(environment)
        return OPTIMA[physics]

    monkeypatch.setattr(ceiling, "_compute", recording)
    return computed


def pendulum(**changes):
    return envs.make("inverted-pendulum", max_episode_steps=changes.pop("max_episode_steps", 20), params=changes)


def kept(tmp_path):
    (path,) = (tmp_path / "cache").glob("optimal_*.json")
    return path


def test_the_numbers_are_those_of_the_two_grids_and_the_rollouts(computations):
    environment = pendulum()
    found = optimal.optimal_mean_return(environment)
    fine, coarse = optimal.solve(environment, 36, 21), optimal.solve(environment, 18, 11)
    assert (found.mean, found.quadrature_error) == fine.mean_return()
    assert found.grid_error == abs(found.mean - coarse.mean_return().mean)
    surplus = np.subtract(*fine.rollouts(50, 0))
    assert found.rollout_mean == found.mean + surplus.mean()
    assert found.rollout_error == pytest.approx(surplus.std(ddof=1) / 50**0.5)


def test_a_second_call_reads_what_the_first_one_kept(computations):
    first = optimal.optimal_mean_return(pendulum())
    assert optimal.optimal_mean_return(pendulum()) == first
    assert len(computations) == 1


@pytest.mark.quick_only(changes={"gravity": 9.7})
@pytest.mark.parametrize("changes", [{"gravity": 9.7}, {"theta_high": 0.3}, {"max_episode_steps": 21}])
def test_other_physics_starts_and_horizons_are_computed_anew(computations, changes):
    first = optimal.optimal_mean_return(pendulum())
    assert optimal.optimal_mean_return(pendulum(**changes)) != first
    assert len(computations) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-9],
        lambda content: b"\xff" + content,
        lambda content: b"[]",
        lambda content: b"null",
        lambda content: content.replace(b'"mean"', b'"means"'),
        lambda content: content.replace(b'"rollout_mean": ', b'"rollout_mean": NaN, "x": '),
        lambda content: content.replace(b'"gravity": 9.8', b'"gravity": 1.6'),
        lambda content: content.replace(b'"rollout_mean": 1', b'"rollout_mean": 3'),
    ],
)
def test_a_damaged_file_is_computed_again_and_mended(computations, tmp_path, damage):
    first = optimal.optimal_mean_return(pendulum())
    path = kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert optimal.optimal_mean_return(pendulum()) == first
    assert len(computations) == 2
    assert path.read_bytes() == whole


def test_a_new_format_leaves_old_files_unread(computations, monkeypatch):
    optimal.optimal_mean_return(pendulum())
    monkeypatch.setattr(ceiling, "FORMAT", ceiling.FORMAT + 1)
    optimal.optimal_mean_return(pendulum())
    assert len(computations) == 2


def test_without_a_place_to_keep_it_the_optimum_is_computed_all_the_same(computations, monkeypatch, tmp_path):
    optimal.optimal_mean_return(pendulum())  # which compiles the environment while there is a place for that
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NASDQN_FAST_CACHE_DIR", str(tmp_path / "file" / "cache"))
    for _ in range(2):
        assert optimal.optimal_mean_return(pendulum()).mean > 0
    assert len(computations) == 3


def test_the_file_is_plain_json_that_says_what_it_belongs_to(computations, tmp_path):
    optimal.optimal_mean_return(pendulum())
    content = json.loads(kept(tmp_path).read_text())
    assert content["key"]["params"]["gravity"] == 9.8
    assert content["key"]["horizon"] == 20
    assert [path.name for path in (tmp_path / "cache").glob(".*")] == []


def test_only_the_pendulum_has_one(computations):
    with pytest.raises(InputError, match="inverted-pendulum only"):
        optimal.optimal_mean_return(envs.make("cartpole"))
