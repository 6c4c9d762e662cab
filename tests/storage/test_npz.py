"""Archives of arrays: what was written comes back, and nothing that lies about itself is believed."""

import io
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

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


def zip_of(members, **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two members of one name
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def member_of(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def read(content):
    return npz.read(io.BytesIO(content))


@given(ARRAYS)
def test_arrays_come_back_to_the_bit(arrays):
    found = read(archive_of(**arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_numpy_reads_the_same():
    content = archive_of(a=np.arange(6.0).reshape(2, 3), b=np.array("text"))
    with np.load(io.BytesIO(content)) as theirs:
        for name, array in read(content).items():
            np.testing.assert_array_equal(array, theirs[name])


def test_equal_arrays_give_equal_bytes():
    assert archive_of(a=np.ones(3)) == archive_of(a=np.ones(3))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a zip file"),
        (archive_of(a=np.ones(9))[:-30], "not a zip file"),
        (zip_of([("a.npy", member_of(np.zeros(999)))], compression=zipfile.ZIP_DEFLATED), "'a.npy' is compressed"),
        (zip_of([("a.txt", b"x")]), "'a.txt' is no array"),
        (zip_of([("a.npy", member_of(np.ones(3)))] * 2), "'a.npy' is no array of its own"),
        (zip_of([("a.npy", b"hello, this is no array at all")]), "magic string is not correct"),
        (zip_of([("a.npy", member_of(np.ones(3))[:-1])]), "not as long as an array of float64"),
        (zip_of([("a.npy", member_of(np.ones(3)) + b"x")]), "not as long as an array of float64"),
        (zip_of([("a.npy", member_of(np.array([{}])))]), "an array of object"),
        (zip_of([("a.npy", member_of(np.ones(3, ">f4")))]), "an array of >f4"),
        (zip_of([("a.npy", member_of(np.ones(1, "f4,i4")))]), "has no place here"),
        (zip_of([("a.npy", member_of(np.ones((2, 3), order="F")))]), "has no place here"),
    ],
)
def test_what_is_no_such_archive_is_refused(content, reason):
    with pytest.raises(ValueError, match=reason):
        read(content)


def test_a_header_that_claims_less_than_is_there_is_seen():
    """NumPy's own reader returns the first 2,000 numbers, and never comes to the checksum."""
    content = archive_of(a=np.arange(9000.0)).replace(b"'shape': (9000,)", b"'shape': (2000,)")
    with np.load(io.BytesIO(content)) as theirs:
        assert theirs["a"].shape == (2000,)
    with pytest.raises(ValueError, match="Bad CRC-32"):
        read(content)


@pytest.mark.parametrize("shape", [(10_000_000_000,), (100_000, 100_000), (-1,)])
def test_a_header_that_claims_more_than_is_there_takes_no_memory(shape):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    content = zip_of([("a.npy", header.getvalue() + bytes(24))])
    tracemalloc.start()
    with pytest.raises(ValueError, match="not as long as an array of float64"):
        read(content)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_members_that_overlap_are_refused():
    """As in zip bombs: a thousand members that are the same bytes."""
    content = zip_of([("aaaaa.npy", member_of(np.zeros(1000)))])
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry, last = content[start:end], bytearray(content[end:])
    many = b"".join(entry.replace(b"aaaaa", b"%5d" % i) for i in range(1000))
    last[8:12] = (1000).to_bytes(2, "little") * 2
    last[12:16] = len(many).to_bytes(4, "little")
    with pytest.raises(ValueError, match="overlap"):
        read(content[:start] + many + bytes(last))


def test_an_entry_that_swallows_the_next_one_is_seen():
    content = archive_of(a=np.ones(3), b=np.ones(4))
    start = content.index(b"PK\x01\x02")
    length = content.index(b"PK\x01\x02", start + 1) - start
    damaged = bytearray(content)
    damaged[start + 32 : start + 34] = length.to_bytes(2, "little")  # of the comment on the entry
    with pytest.raises(ValueError, match="its directory is damaged"):
        read(bytes(damaged))


@given(st.data())
def test_a_flipped_bit_is_refused_or_harmless(data):
    arrays = {"a": np.arange(12.0).reshape(3, 4), "state": np.arange(40, dtype=np.uint8)}
    content = bytearray(archive_of(**arrays))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        found = read(bytes(content))
    except ValueError:
        return
    assert {name: found[name].tobytes() for name in found} == {name: arrays[name].tobytes() for name in arrays}
