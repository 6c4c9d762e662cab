"""Archives of arrays: what was written comes back, and damage is seen."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nasdqn_fast.errors import DamageError
from nasdqn_fast.storage import npz

DTYPES = st.sampled_from(["f4", "f8", "i8", "u1", "?", "U5"])
ARRAYS = st.dictionaries(
    st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "file"),
    DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))),
    max_size=4,
)


def archive_of(**arrays):
    file = io.BytesIO()
    npz.write(file, arrays)
    return file.getvalue()


@settings(deadline=None)
@given(ARRAYS)
def test_arrays_come_back_to_the_bit(arrays):
    found = npz.read(archive_of(**arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_equal_arrays_give_equal_bytes():
    assert archive_of(a=np.ones(3)) == archive_of(a=np.ones(3))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a zip file"),
        (archive_of(a=np.ones(9))[:-30], "not a zip file"),
        (
            archive_of(a=np.arange(9.0)).replace(np.float64(7).tobytes(), np.float64(8).tobytes()),
            "Bad CRC-32 for 'a.npy'",
        ),
        (archive_of(a=np.array([{}])), "allow_pickle=False"),
    ],
)
def test_what_is_no_such_archive_is_refused(content, reason):
    with pytest.raises(DamageError, match=reason):
        npz.read(content)


def test_a_header_that_claims_less_than_is_there_is_seen():
    """NumPy alone returns the first 2,000 numbers, and never comes to the checksum."""
    content = archive_of(a=np.arange(9000.0)).replace(b"'shape': (9000,)", b"'shape': (2000,)")
    with np.load(io.BytesIO(content)) as theirs:
        assert theirs["a"].shape == (2000,)
    with pytest.raises(DamageError, match="Bad CRC-32"):
        npz.read(content)


def test_other_files_in_the_archive_are_no_harm():
    file = io.BytesIO(archive_of(a=np.ones(3)))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("note.txt", "a note")
    np.testing.assert_array_equal(npz.read(file.getvalue())["a"], np.ones(3))


@settings(deadline=None)
@given(st.data())
def test_a_flipped_bit_is_refused_or_harmless(data):
    """Harmless are those in the archive's directory that nobody looks at; of the arrays' bytes, none."""
    arrays = {"a": np.arange(12.0).reshape(3, 4), "state": np.arange(40, dtype=np.uint8)}
    content = bytearray(archive_of(**arrays))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = npz.read(bytes(content))
    except DamageError:
        return
    for name in found.keys() & arrays.keys():
        np.testing.assert_array_equal(found[name], arrays[name])
