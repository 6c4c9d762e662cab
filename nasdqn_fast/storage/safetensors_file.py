"""Arrays and some text in the safetensors format (https://huggingface.co/docs/safetensors), which holds no code.

The format itself has no checksum: ``crc32`` in the metadata is one, of all that the file holds.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

import numpy as np

from nasdqn_fast.errors import DamageError

CHECKSUM = "crc32"


def encoded(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """The content of a file; equal arrays and metadata give equal bytes.

    Args:
        arrays: by name; float32 and float64, of at least one dimension.
        metadata: by name; the checksum is added.
    """
    from safetensors import numpy as safetensors  # takes 30 ms, which `import nasdqn_fast` need not

    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {**metadata, CHECKSUM: _checksum(arrays, metadata)}
    content = safetensors.save(arrays, metadata)
    # The library writes the metadata in an order that differs from call to call.
    size = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # as the library aligns the arrays
    return len(header).to_bytes(8, "little") + header + content[8 + size :]


def decoded(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays and metadata of a file; the arrays cannot be written.

    Raises:
        DamageError: the content is damaged, truncated or something else.
    """
    from safetensors import numpy as safetensors

    try:
        arrays = safetensors.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except Exception as error:  # the library raises errors of several kinds; no code of others runs here
        raise DamageError(" ".join(str(error).split()) or type(error).__name__) from error
    metadata = dict(header.get("__metadata__") or {})
    checksum = metadata.pop(CHECKSUM, None)
    if checksum is not None and checksum != _checksum(arrays, metadata):
        raise DamageError(f"its {CHECKSUM} is {checksum!r}, that of its content {_checksum(arrays, metadata)!r}")
    return arrays, metadata


def looks_like_one(content: bytes) -> bool:
    """Whether a file begins as one of this format does: the header's length, then the header's brace."""
    return content[8:9] == b"{"


def _checksum(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    checksum = zlib.crc32(json.dumps(metadata, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        checksum = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), checksum)
        checksum = zlib.crc32(array.tobytes(), checksum)
    return f"{checksum:08x}"
