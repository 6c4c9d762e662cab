"""Network files: what was saved comes back to the bit, and no damage passes for a network."""

import io
import re
import zipfile

import numpy as np
import pytest
import safetensors
import safetensors.numpy

from nasdqn_fast.engine import network_file, network_npz, network_safetensors
from nasdqn_fast.errors import InputError
from nasdqn_fast.reference import QNetwork
from nasdqn_fast.reference.normalizer import Normalizer


@pytest.fixture
def network():
    return QNetwork("3,2-tanh", 3, 2, rng=5)


@pytest.fixture(params=["network.safetensors", "network.npz"])
def saved(request, network, tmp_path):
    path = tmp_path / request.param
    network.save(path)
    return path


@pytest.fixture
def archive(network, tmp_path):
    path = tmp_path / "network.npz"
    network.save(path)
    return path


@pytest.fixture
def tensors(tmp_path):
    """A network with statistics, saved as safetensors."""
    network = QNetwork("3,2-tanh", 3, 2, rng=5)
    network.normalizer = Normalizer(3)
    network.normalizer.update(np.random.default_rng(0).normal(2, 3, (50, 3)).astype(np.float32))
    network.save(tmp_path / "network.safetensors")
    return tmp_path / "network.safetensors", network


def rewritten(path, **changes):
    """The file with some entries replaced (None: left out)."""
    with np.load(path) as archive:
        entries = dict(archive)
    entries |= changes
    np.savez(path, **{name: value for name, value in entries.items() if value is not None})
    return path


def retold(path, metadata=None, **changes):
    """The file as another program may write it: no checksum, some metadata or tensors replaced (None: left out)."""
    with safetensors.safe_open(path, "numpy") as file:
        about = {key: value for key, value in file.metadata().items() if key != "crc32"} | (metadata or {})
        entries = {name: file.get_tensor(name) for name in file.keys()} | changes  # noqa: SIM118
    kept = {name: np.ascontiguousarray(value) for name, value in entries.items() if value is not None}
    safetensors.numpy.save_file(kept, path, {key: value for key, value in about.items() if value is not None})
    return path


@pytest.mark.parametrize("name", ["no_suffix", "network.npz", "network.safetensors"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_comes_back_to_the_bit(dtype, name, tmp_path):
    network = QNetwork("17,1-leaky_relu", 4, 3, rng=1, dtype=dtype)
    network.biases[0][:] = np.linspace(-1, 1, 17)
    network.save(tmp_path / name)
    loaded = QNetwork.load(tmp_path / name, dtype=dtype)
    assert (loaded.architecture, loaded.observation_size, loaded.n_actions) == (network.architecture, 4, 3)
    assert loaded.parameters.tobytes() == network.parameters.tobytes()


def test_equal_networks_give_equal_files(network, saved, tmp_path):
    again = tmp_path / f"again{saved.suffix}"
    for _ in range(5):  # the library's order of the metadata is another one each time
        network.copy().save(again)
        assert again.read_bytes() == saved.read_bytes()


def test_the_archive_needs_no_pickle_and_names_its_format(archive):
    with np.load(archive, allow_pickle=False) as arrays:
        assert arrays["format"].item() == "nasdqn-fast network 1"
        assert arrays["architecture"].item() == "3,2-tanh"
        assert arrays["weights_1"].shape == (3, 2)


def test_others_read_the_tensors_and_what_they_mean(tensors):
    """Oracle: the forward pass written out, of what safetensors' own reader returns."""
    path, network = tensors
    with safetensors.safe_open(path, "numpy") as file:
        metadata, names = file.metadata(), set(file.keys())
        found = {name: file.get_tensor(name) for name in names}
    about = {"format": "nasdqn-fast network 3", "architecture": "3,2-tanh", "activation": "tanh", "sizes": "3,3,2,2"}
    assert about.items() <= metadata.items()
    assert metadata["normalizes"] == "true"
    layers = {f"layers.{i}.{part}" for i in range(3) for part in ("weight", "bias")}
    assert names == layers | {f"normalizer.{name}" for name in ("count", "mean", "variance")}
    assert found["layers.1.weight"].shape == (2, 3)  # (n_out, n_in), as PyTorch's Linear has it
    assert found["layers.1.weight"].dtype == np.float32
    x = np.random.default_rng(1).normal(0, 4, (20, 3)).astype(np.float32)
    h = np.clip((x - found["normalizer.mean"]) / np.sqrt(found["normalizer.variance"] + 1e-8), -10, 10)
    for i in range(3):
        h = h @ found[f"layers.{i}.weight"].T + found[f"layers.{i}.bias"]
        h = np.tanh(h) if i < 2 else h
    np.testing.assert_allclose(network.forward(x), h, rtol=1e-5, atol=1e-6)


def test_a_file_that_another_program_wrote_again_is_read(tensors):
    path, network = tensors
    loaded = QNetwork.load(retold(path, biases=None))
    assert loaded.parameters.tobytes() == network.parameters.tobytes()
    np.testing.assert_equal(loaded.normalizer.get_state(), network.normalizer.get_state())


def test_a_number_that_was_changed_in_place_is_seen(tensors):
    """The format has no checksum of its own."""
    path, network = tensors
    content = path.read_bytes()
    number = network.weights[2].T.tobytes()
    assert content.count(number) == 1
    path.write_bytes(content.replace(number, (network.weights[2].T * 2).tobytes()))
    with pytest.raises(InputError, match=r"its crc32 is '\w{8}', that of its content '\w{8}'"):
        QNetwork.load(path)


@pytest.mark.parametrize(
    ("metadata", "changes", "reason"),
    [
        ({"format": None}, {}, "format is None in its metadata, this version reads 'nasdqn-fast network 3'"),
        ({"format": "pt"}, {}, "format is 'pt' in its metadata"),
        ({"architecture": "3,2-swish"}, {}, "unknown activation 'swish'"),
        ({"architecture": None}, {}, "it lacks architecture"),
        ({"sizes": "3,x,2"}, {}, "sizes must be numbers with commas between; got 'x'"),
        ({"sizes": "4,3,2,2"}, {}, "layers.0.weight must be float32 of shape (4, 3); got float32 (3, 3)"),
        ({}, {"layers.2.bias": None}, "it lacks layers.2.bias"),
        ({}, {"layers.1.bias": np.zeros(2, np.int32)}, "layers.1.bias must be float32 of shape (2,); got int32 (2,)"),
        ({}, {"layers.0.bias": np.full(3, np.nan, np.float32)}, "layers.0.bias is not finite"),
        ({}, {"normalizer.mean": None}, "it lacks normalizer.mean"),
        ({}, {"normalizer.count": np.zeros(2)}, "normalizer.count must be of shape (1,); got (2,)"),
        ({}, {"normalizer.variance": np.full(3, -1.0)}, "normalizer_variance must be >= 0"),
    ],
)
def test_safetensors_that_are_no_network_are_refused_with_the_reason(tensors, metadata, changes, reason):
    path, _ = tensors
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        QNetwork.load(retold(path, metadata, **changes))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_failed_save_leaves_the_old_file_and_nothing_beside_it(network, saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr(network_npz, "write", lambda file, network: file.write(b"half a file") / 0)
    monkeypatch.setattr(network_safetensors, "encoded", lambda network: bytes(1 / 0))
    with pytest.raises(ZeroDivisionError):
        network.save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_saving_into_a_missing_folder_names_it(network, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        network.save(tmp_path / "missing" / "network.npz")


@pytest.mark.parametrize("step", [61, pytest.param(7, marks=pytest.mark.slow)])
def test_a_truncated_file_is_refused_at_any_length(saved, step):
    whole = saved.read_bytes()
    for length in range(0, len(whole), step):
        saved.write_bytes(whole[:length])
        with pytest.raises(InputError, match=re.escape(str(saved))):
            network_file.load(saved)


@pytest.mark.parametrize("step", [31, pytest.param(1, marks=pytest.mark.slow)])
def test_a_flipped_bit_is_refused_or_harmless(saved, network, step):
    """Harmless: in the archive's dates, permissions and the like. Then the numbers are the old ones."""
    whole = saved.read_bytes()
    messages = []
    positions = range(0, len(whole), step)
    for position in positions:
        damaged = bytearray(whole)
        damaged[position] ^= 1 << (position % 8)
        saved.write_bytes(damaged)
        try:
            architecture, _, _, weights, biases, *_ = network_file.load(saved)
        except InputError as error:
            messages.append(str(error))
            continue
        assert architecture == network.architecture
        for array, original in zip(weights + biases, network.weights + network.biases, strict=True):
            np.testing.assert_array_equal(array, original)
    assert len(messages) > len(positions) / 2
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
def test_an_archive_that_is_no_network_is_refused_with_the_reason(archive, changes, reason):
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        network_file.load(rewritten(archive, **changes))
    assert str(archive) in str(caught.value)


def test_foreign_files_are_refused(tmp_path):
    array, empty = io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros(3))
    zipfile.ZipFile(empty, "w").close()
    for content in (b"", b"hello\n", b"\xff" * 7 + b"\0{}", bytes(8) + b"{", array.getvalue(), empty.getvalue()):
        (tmp_path / "foreign").write_bytes(content)
        with pytest.raises(InputError, match=r"damaged or foreign network file '.*foreign'"):
            network_file.load(tmp_path / "foreign")


@pytest.mark.parametrize("name", ["absent.npz", "."])
def test_what_cannot_be_opened_is_named(tmp_path, name):
    with pytest.raises(InputError, match="cannot read network file"):
        network_file.load(tmp_path / name)
