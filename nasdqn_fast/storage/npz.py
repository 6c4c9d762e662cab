"""Arrays in an npz archive, without pickle."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from nasdqn_fast.errors import DamageError


def write(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes an archive; equal arrays give equal bytes, for it holds no time."""
    np.savez(file, **arrays)  # type: ignore[arg-type]


def read(content: bytes) -> dict[str, np.ndarray]:
    """All arrays of an archive, by name.

    Raises:
        DamageError: the archive is damaged, truncated or something else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # Of a member whose header claims too little, `numpy.load` never comes to the checksum.
            if (name := archive.testzip()) is not None:
                raise DamageError(f"Bad CRC-32 for {name!r}")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except DamageError:
        raise
    except (
        Exception
    ) as error:  # damaged bytes make zipfile and NumPy raise almost anything; no code of others runs here
        raise DamageError(" ".join(str(error).split()) or type(error).__name__) from error
