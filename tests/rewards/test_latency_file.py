"""Files of latencies: read as they were written, and every fault in a line."""

import pytest

from nasdqn_fast.rewards import latency_file
from nasdqn_fast.rewards.latency_file import check_latencies

TABLE = {"2x32-relu": 1.1e-06, "64,32-tanh": 0.1 + 0.2}


def test_a_table_reads_back_to_the_bit(tmp_path):
    latency_file.write(tmp_path / "latencies.json", TABLE)
    assert check_latencies("latencies", tmp_path / "latencies.json") == TABLE
    assert check_latencies("latencies", str(tmp_path / "latencies.json")) == TABLE
    assert check_latencies("latencies", TABLE) == TABLE


def test_names_are_those_of_architectures():
    assert check_latencies("latencies", {"32,32-relu": 1.0}) == {"2x32-relu": 1.0}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"the latencies in '.*' are not JSON: .*; write an object, architecture: seconds"),
        ("[1]", "latencies must be a table of seconds by architecture, or the path of such a JSON file; got list"),
        ('{"2x32-relu": 0}', r"latencies\['2x32-relu'\] must be a finite number > 0; got 0"),
        ('{"2x32-relu": "1"}', r"latencies\['2x32-relu'\] must be a finite number > 0; got"),
        ('{"2x32": 1}', "malformed architecture '2x32'"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path, content, message):
    (tmp_path / "latencies.json").write_text(content)
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        check_latencies("latencies", tmp_path / "latencies.json")
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"cannot read the latencies in '.*': No such file"):
        check_latencies("latencies", tmp_path / "missing.json")
