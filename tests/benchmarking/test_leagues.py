"""bench/leagues.py on leagues that were made up."""

import json
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
sys.path.insert(0, str(BENCH))
import leagues  # noqa: E402


@pytest.fixture
def folders(tmp_path):
    """Two tasks of five trials: `a` halves the regret of uniform draws, `b` doubles it."""
    made = []
    for task, scale in (("uniform", 1.0), ("hanging", 10.0)):
        folder = tmp_path / task
        folder.mkdir()
        (folder / "summary.json").write_text(json.dumps({"task": task}))
        lines = [",".join(leagues.COLUMNS)]
        for method, factor in (("random-nas", 1.0), ("a", 0.5), ("b", 2.0), ("expert", 0.25), ("every run", 0.1)):
            for trial in range(1, 6):
                regret = scale * factor * 4 / trial
                gain = scale * 4 / trial - regret
                known = method not in ("expert", "every run")
                interval = (regret, regret, gain, gain - 0.01, gain + 0.01) if known else ("",) * 5
                lines.append(",".join(map(str, (method, trial, 7 if known else "", regret, *interval))))
        (folder / "league.csv").write_text("\n".join(lines) + "\n")
        made.append(folder)
    return made


def test_the_table_has_the_lowest_regret_first_and_says_who_is_better(folders, capsys):
    leagues.main([str(folder) for folder in folders])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("| ", "**"))]
    assert rows[0] == "**uniform**, 7 searches each"
    assert [row.split(" | ")[0].strip("| ") for row in rows[1:7]] == [
        "method",
        "every run",
        "expert",
        "a",
        "random-nas",
        "b",
    ]
    assert rows[4] == "| a | 2.00 | 1.00 | 0.40 | +0.40 [+0.39, +0.41] | better |"
    assert rows[6] == "| b | 8.00 | 4.00 | 1.60 | -0.80 [-0.81, -0.79] | worse |"
    assert rows[7] == "**hanging**, 7 searches each"


def test_the_csv_has_every_trial_of_every_task_and_the_figure_is_drawn(folders, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    out, figure = tmp_path / "all.csv", tmp_path / "all.png"
    leagues.main([*map(str, folders), "--out", str(out), "--figure", str(figure)])
    lines = out.read_text().splitlines()
    assert lines[0] == "task," + ",".join(leagues.COLUMNS)
    assert len(lines) == 1 + 2 * 5 * 5
    assert "hanging,a,2,7,10,10,10,10,9.99,10.01" in lines
    assert figure.stat().st_size > 10_000


def test_what_is_no_league_or_a_second_one_is_one_line(folders, tmp_path, capsys):
    for given, message in [([tmp_path], "no league.csv in"), ([folders[0]] * 2, "two of the leagues are on 'uniform'")]:
        with pytest.raises(SystemExit) as ended:
            leagues.main([str(folder) for folder in given])
        assert ended.value.code == 2
        assert message in capsys.readouterr().err
