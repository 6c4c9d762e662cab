"""Runs that earlier versions saved, one folder a format, made by tests/data/make_golden_run.py."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from nasdqn_fast import QNetwork
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.directory import read_config
from nasdqn_fast.run.evaluation import evaluate

DATA = Path(__file__).parents[1] / "data"
# Folder -> digest of the online network's parameters, as the version that saved them printed it.
NETWORKS = {"run_format_1": "864c10ca3d8240bb"}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_saved_state_is_read(name):
    checkpoints = Checkpoints(DATA / name / "checkpoints")
    agent = checkpoints.load(checkpoints.newest_first()[0])["trainer"]["agent"]
    assert hashlib.sha256(agent["network"].tobytes()).hexdigest()[:16] == NETWORKS[name]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.filterwarnings("ignore:the run was begun with")  # another build: the bits may differ from here on
def test_the_run_goes_on_to_its_end(name, tmp_path):
    shutil.copytree(DATA / name, tmp_path / name)
    result = resume(tmp_path / name)
    rows = [(folder / name / "episodes.csv").read_text().splitlines() for folder in (DATA, tmp_path)]
    assert (len(rows[0]), len(rows[1])) == (7, 10)
    assert rows[1][:7] == rows[0]
    assert np.isfinite(result.episodes.returns).all()
    assert result.status == "finished"


@pytest.mark.parametrize("name", NETWORKS)
def test_its_network_is_played_and_started_from(name):
    """Oracle: the arrays of the npz file, which NumPy reads."""
    played = evaluate(DATA / name, 2)
    assert played.source == "network.npz"
    with np.load(DATA / name / "network.npz") as arrays:
        np.testing.assert_array_equal(played.network.weights[0], arrays["weights_0"])
        options = {"env": read_config(DATA / name).env.name, "architecture": arrays["architecture"].item()}
        result = train("fixed", **options, episodes=1, warm_up=10_000, max_episode_steps=5, from_=DATA / name)
        np.testing.assert_array_equal(result.network.weights[0], arrays["weights_0"])


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.filterwarnings("ignore:the run was begun with")
def test_a_run_that_goes_on_leaves_no_network_of_the_earlier_form(name, tmp_path):
    shutil.copytree(DATA / name, tmp_path / name)
    result = resume(tmp_path / name)
    assert [path.name for path in (tmp_path / name).glob("*network*")] == ["network.safetensors"]
    loaded = QNetwork.load(tmp_path / name / "network.safetensors")
    assert loaded.parameters.tobytes() == result.network.parameters.tobytes()


def test_every_folder_of_data_is_tested():
    assert {path.name for path in DATA.glob("run_format_*")} == set(NETWORKS)
