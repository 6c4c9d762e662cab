"""Files that grow line by line and are taken up again."""

import pytest

from nasdqn_fast.errors import DamageError
from nasdqn_fast.storage.line_file import LineFile

LINES = ["episode,return\n", "1,0.5\n", "2,ü\n"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lines.csv"


def test_every_line_is_there_when_it_is_written(path):
    file = LineFile(path)
    for n, line in enumerate(LINES, start=1):
        file.write(line)
        assert path.read_text(encoding="utf-8") == "".join(LINES[:n])
    file.close()


@pytest.mark.parametrize("after", ["", "3,1.0\n", "3,1.", "\0" * 3_000_000])
def test_it_is_taken_up_where_the_state_was_saved(path, after):
    file = LineFile(path)
    file.write(LINES[0])
    file.write(LINES[1])
    state = file.get_state()
    file.write(after)
    file.close()
    again = LineFile(path, state)
    again.cut()
    assert again.get_state() == state
    again.write(LINES[2])
    again.close()
    assert path.read_text(encoding="utf-8") == "".join(LINES)


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: text.replace(b"0.5", b"0.6"), lambda text: b""]
)
def test_a_file_that_was_changed_is_refused_and_left_alone(path, change):
    file = LineFile(path)
    file.write(LINES[0])
    file.write(LINES[1])
    state = file.get_state()
    file.close()
    path.write_bytes(change(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(DamageError, match=r"lines\.csv is not as it was written"):
        LineFile(path, state)
    assert path.read_bytes() == before


def test_a_new_file_replaces_none(path):
    path.write_text("precious")
    with pytest.raises(FileExistsError):
        LineFile(path)
    assert path.read_text() == "precious"


def test_a_file_that_is_gone_is_told(path):
    with pytest.raises(DamageError, match=r"lines\.csv is gone"):
        LineFile(path, {"size": 0, "sha256": ""})
