"""Coverage-guided fuzzing of what reads files. Needs atheris, of which there are wheels for some Pythons only.

    pip install atheris
    python tools/atheris_files.py -runs=100000

The first byte chooses the reader: an archive of arrays, a state, a network, a config. Whatever is raised but the error
that the reader promises ends the fuzzer.
"""

import contextlib
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["nasdqn_fast", "zipfile", "numpy.lib"]):
    from nasdqn_fast import QNetwork
    from nasdqn_fast.config import resolve
    from nasdqn_fast.errors import DamageError, InputError
    from nasdqn_fast.storage import npz, state_file

FILE = Path(tempfile.mkdtemp(), "file")
READERS = [
    (npz.read, DamageError),
    (lambda content: state_file.load(FILE), DamageError),
    (lambda content: QNetwork.load(FILE), InputError),
    (lambda content: resolve(FILE), InputError),
]


def read(data: bytes) -> None:
    reader, promised = READERS[data[0] % len(READERS)] if data else READERS[0]
    FILE.write_bytes(data[1:])
    with contextlib.suppress(promised):
        reader(data[1:])


if __name__ == "__main__":
    atheris.Setup(sys.argv, read)
    atheris.Fuzz()
