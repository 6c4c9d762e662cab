"""Arrays in an npz archive, read so that a damaged or hostile file can do no harm.

`numpy.load` trusts a file further than is wise: an array's header may claim any size, a deflated
member may grow without bound, and of a member whose header claims too little the checksum is never
looked at. Here members are stored as they are, read whole, which checks their CRC-32, and must hold
exactly what their header says. Nothing is unpickled.
"""

from __future__ import annotations

import errno
import io
import math
import struct
import zipfile
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import numpy as np

_SUFFIX = ".npy"
_KINDS = "biufU"  # of numpy.dtype.kind
_END = struct.Struct("<4s6xH10x")  # the archive's last record: its signature, and how many members there are


def write(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes an archive; equal arrays give equal bytes, for it holds no time."""
    np.savez(file, **arrays)  # type: ignore[arg-type]


def storable(array: np.ndarray) -> np.ndarray:
    """The array in the form that `read` takes: in C's order.

    Raises:
        TypeError: it holds neither numbers nor text, or they are not in this machine's byte order.
    """
    if array.dtype.kind not in _KINDS or not array.dtype.isnative:
        raise TypeError(f"an array of {array.dtype} cannot be stored; numbers, booleans and text can")
    return np.asarray(array, order="C")


def read(file: BinaryIO) -> dict[str, np.ndarray]:
    """All arrays of an archive, by name: numbers, booleans and text; read-only.

    Raises:
        ValueError: the file is damaged, truncated or something else.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(members, file.seek(0, io.SEEK_END))
            _check_count(members, file)
            return {member.filename.removesuffix(_SUFFIX): _array(archive, member) for member in members}
    except Exception as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # which is of a place before the beginning
            raise
        # Damaged bytes make zipfile and the header's parser raise almost anything, NotImplementedError,
        # RuntimeError (an "encrypted" member) and RecursionError among it.
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error


def _check_members(members: Sequence[zipfile.ZipInfo], size: int) -> None:
    names = set()
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise ValueError(f"{member.filename!r} is compressed")
        if not member.filename.endswith(_SUFFIX) or member.filename in names:
            raise ValueError(f"{member.filename!r} is no array of its own")
        names.add(member.filename)
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members overlap")


def _check_count(members: Sequence[zipfile.ZipInfo], file: BinaryIO) -> None:
    """An entry whose length is damaged swallows the next one, and zipfile does not count."""
    file.seek(-_END.size, io.SEEK_END)
    signature, count = _END.unpack(file.read(_END.size))
    if signature != b"PK\5\6" or count != len(members):
        raise ValueError("its directory is damaged")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    content = archive.read(member)
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"{member.filename!r} has a header of another version")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.kind not in _KINDS or not dtype.isnative or fortran_order:
        raise ValueError(f"{member.filename!r} is an array of {dtype}, which has no place here")
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"{member.filename!r} is not as long as an array of {dtype} {shape}")
    return np.ndarray(shape, dtype, content, stream.tell())
