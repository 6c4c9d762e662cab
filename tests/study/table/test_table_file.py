"""The file of a table."""

import io
import json
import zipfile

import numpy as np
import pytest

from nasdqn_fast.errors import InputError
from nasdqn_fast.study.table import file as table_file
from nasdqn_fast.study.table.tasks import Task


def test_numpy_reads_it_without_pickle(small_plan, small_table):
    with np.load(small_table, allow_pickle=False) as table:
        assert set(table.files) == set(table_file.ARRAYS)
        assert table["returns"].dtype == np.int16
        assert table["returns"].shape == (16, 12)
        assert dict(zip(table["tasks"], table["scales"], strict=True)) == {"cartpole": 1.0, "upright-sgd": 0.02}
        assert "MIT" in str(table["about"])
        (build,) = table["builds"]
        assert json.loads(str(build))["cpu_target"]
        assert json.loads(str(table["settings"][1]))["agent"]["optimizer"] == "sgd"
        assert not any(np.isnan(table[name]).any() for name in table.files if table[name].dtype.kind == "f")


def test_it_is_compressed_and_holds_no_time(small_table):
    with zipfile.ZipFile(small_table) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_DEFLATED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    ("returns", "scale"),
    [
        ([-500.0, 0.0, 32767.0], 1.0),
        ([32768.0], 2.0),
        ([0.5], 2e-5),
        ([100.0, 0.25], 0.005),
        ([1e6], 50.0),
        ([0.0], 1.0),
    ],
)
def test_the_unit_of_an_environment_of_the_users_is_the_finest_that_fits(returns, scale):
    assert table_file._scale(Task.parse("mine:env"), np.array(returns)) == pytest.approx(scale, rel=1e-12)


def test_a_return_that_the_tasks_unit_cannot_hold_is_refused():
    with pytest.raises(InputError, match=r"a return of 656 does not fit into int16 in units of 0\.02"):
        table_file._scale(Task.parse("hanging"), np.array([-656.0, 3.0]))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-30], "is damaged or no table"),
        (lambda content: b"no archive", "is damaged or no table"),
        (lambda content: _archive(a=np.zeros(1)), "is no table of learning curves"),
        (lambda content: _archive(format=np.array("1")), "is no table of learning curves"),
        (lambda content: _archive(**_without(_arrays(content), "seed")), "is no whole table: it lacks seed"),
        (lambda content: _archive(**{**_arrays(content), "format": np.array(9)}), "has format 9; this version reads"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, small_table, damage, message):
    path = tmp_path / "t.npz"
    path.write_bytes(damage(small_table.read_bytes()))
    with pytest.raises(InputError, match=message):
        table_file.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the table .*t.npz.*: No such file"):
        table_file.load(tmp_path / "t.npz")


def _arrays(content):
    with np.load(io.BytesIO(content)) as arrays:
        return dict(arrays)


def _without(arrays, name):
    return {key: array for key, array in arrays.items() if key != name}


def _archive(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()
