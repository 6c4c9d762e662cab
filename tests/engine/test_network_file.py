"""Network files: what was saved comes back to the bit, and no damage passes for a network."""

import io
import re
import zipfile

import numpy as np
import pytest

from nasdqn_fast.engine import network_file
from nasdqn_fast.errors import InputError
from nasdqn_fast.reference import QNetwork


@pytest.fixture
def network():
    return QNetwork("3,2-tanh", 3, 2, rng=5)


@pytest.fixture
def saved(network, tmp_path):
    path = tmp_path / "network.npz"
    network.save(path)
    return path


def rewritten(path, **changes):
    """The file with some entries replaced (None: left out)."""
    with np.load(path) as archive:
        entries = dict(archive)
    entries |= changes
    np.savez(path, **{name: value for name, value in entries.items() if value is not None})
    return path


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_comes_back_to_the_bit(dtype, tmp_path):
    network = QNetwork("17,1-leaky_relu", 4, 3, rng=1, dtype=dtype)
    network.biases[0][:] = np.linspace(-1, 1, 17)
    network.save(tmp_path / "no_suffix")
    loaded = QNetwork.load(tmp_path / "no_suffix", dtype=dtype)
    assert (loaded.architecture, loaded.observation_size, loaded.n_actions) == (network.architecture, 4, 3)
    assert loaded.parameters.tobytes() == network.parameters.tobytes()


def test_equal_networks_give_equal_files(network, saved, tmp_path):
    network.copy().save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == saved.read_bytes()


def test_the_file_needs_no_pickle_and_names_its_format(saved):
    with np.load(saved, allow_pickle=False) as archive:
        assert archive["format"].item() == "nasdqn-fast network 1"
        assert archive["architecture"].item() == "3,2-tanh"
        assert archive["weights_1"].shape == (3, 2)


def test_a_failed_save_leaves_the_old_file_and_nothing_beside_it(network, saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr(np, "savez", lambda file, **entries: file.write(b"half a file") / 0)
    with pytest.raises(ZeroDivisionError):
        network.save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_saving_into_a_missing_folder_names_it(network, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        network.save(tmp_path / "missing" / "network.npz")


def test_a_truncated_file_is_refused_at_any_length(saved):
    whole = saved.read_bytes()
    for length in range(0, len(whole), 7):
        saved.write_bytes(whole[:length])
        with pytest.raises(InputError, match=re.escape(str(saved))):
            network_file.load(saved)


def test_a_flipped_bit_is_refused_or_harmless(saved, network):
    """Harmless: in the archive's dates, permissions and the like. Then the numbers are the old ones."""
    whole = saved.read_bytes()
    messages = []
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << (position % 8)
        saved.write_bytes(damaged)
        try:
            architecture, _, _, weights, biases, _ = network_file.load(saved)
        except InputError as error:
            messages.append(str(error))
            continue
        assert architecture == network.architecture
        for array, original in zip(weights + biases, network.weights + network.biases, strict=True):
            np.testing.assert_array_equal(array, original)
    assert len(messages) > len(whole) / 2
    assert all(str(saved) in message and "\n" not in message for message in messages)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": None}, "it lacks format"),
        ({"format": np.array("nasdqn-fast network 3")}, "format is 'nasdqn-fast network 3', this version reads"),
        ({"architecture": np.array("3,2-swish")}, "unknown activation 'swish'"),
        ({"architecture": np.array("64x1048576-relu")}, "weights_0 must be float32 of shape (3, 1048576)"),
        ({"observation_size": np.array(0)}, "observation_size must be an integer >= 1; got 0"),
        ({"n_actions": np.array(2.5)}, "n_actions must be an integer >= 1; got float 2.5"),
        ({"weights_2": None}, "it lacks weights_2"),
        ({"weights_0": np.zeros((3, 4), np.float32)}, "weights_0 must be float32 of shape (3, 3)"),
        ({"weights_0": np.zeros((3, 3), np.int32)}, "weights_0 must be float32 of shape (3, 3); got int32"),
        ({"biases_1": np.array([0, np.nan], np.float32)}, "biases_1 is not finite"),
        ({"weights_0": np.full((3, 3), np.inf, np.float32)}, "weights_0 is not finite"),
        ({"weights_0": np.array([object()])}, "Object arrays cannot be loaded when allow_pickle=False"),
    ],
)
def test_a_file_that_is_no_network_is_refused_with_the_reason(saved, changes, reason):
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        network_file.load(rewritten(saved, **changes))
    assert str(saved) in str(caught.value)


def test_foreign_files_are_refused(tmp_path):
    array, empty = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros(3))
    zipfile.ZipFile(empty, "w").close()
    for content in (b"", b"hello\n", array.getvalue(), empty.getvalue()):
        (tmp_path / "foreign").write_bytes(content)
        with pytest.raises(InputError, match=r"damaged or foreign network file '.*foreign'"):
            network_file.load(tmp_path / "foreign")


@pytest.mark.parametrize("name", ["absent.npz", "."])
def test_what_cannot_be_opened_is_named(tmp_path, name):
    with pytest.raises(InputError, match="cannot read network file"):
        network_file.load(tmp_path / name)
