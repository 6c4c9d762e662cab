"""Network files, shared by both backends: safetensors, and the npz archives that earlier versions wrote.

Equal networks give equal files: they hold no time.
"""

from __future__ import annotations

import os
from typing import Any

from nasdqn_fast.engine import network_npz, network_safetensors
from nasdqn_fast.engine.network_contents import Contents
from nasdqn_fast.errors import InputError
from nasdqn_fast.storage import safetensors_file
from nasdqn_fast.storage.atomic import replacing

Path = str | os.PathLike[str]


def save(path: Path, network: Contents) -> None:
    """Writes the network; a file of that name is replaced, as a whole or not at all.

    Args:
        path: the file; one that ends in ``.npz`` is an archive as earlier versions wrote, any other is safetensors.
        network: what it holds.

    Raises:
        ValueError: a weight is not finite, or an archive is to hold a sum; nothing was written.
        OSError: the folder is missing or not writable.
    """
    network.check_finite()
    with replacing(path, durable=True) as file:
        if os.fspath(path).endswith(".npz"):
            network_npz.write(file, network)
        else:
            file.write(network_safetensors.encoded(network))


def load(path: Path) -> Contents:
    """Reads a network file of either format, whatever its name.

    Raises:
        InputError: the file is missing, damaged, truncated, of another kind or version, or holds
            numbers that are not finite.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
        return _decoder(content)(content)
    except OSError as error:
        raise InputError(f"cannot read network file {os.fspath(path)!r}: {error.strerror or error}") from error
    except (TypeError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> InputError:
    """The error for a file that holds no network."""
    return InputError(f"damaged or foreign network file {os.fspath(path)!r}: {error}; save it again")


def _decoder(content: bytes) -> Any:
    return (network_safetensors if safetensors_file.looks_like_one(content) else network_npz).decoded
