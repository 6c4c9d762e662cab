"""bench/robust.py on a tiny study, and on runs that were made up."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nasdqn_fast

BENCH = Path(__file__).parents[2] / "bench"
sys.path.insert(0, str(BENCH))
import robust  # noqa: E402

HEAD = ",".join(robust.COLUMNS)


@pytest.fixture
def made_up(tmp_path):
    """Four seeds of `a`, and three of `b`, which is 10 above it in final and 20 below it in area."""
    finals, areas = (300.0, 320.0, 310.0, 90.0), (200.0, 210.0, 190.0, 205.0)
    rows = [("a", seed, final, area) for seed, (final, area) in enumerate(zip(finals, areas, strict=True))]
    rows += [("b", seed, final + 10, area - 20) for _, seed, final, area in rows[:3]]
    file = tmp_path / "runs.csv"
    lines = [f"cartpole,{name},{seed},{final},{area},3,1000,1e9,1.5,0.02" for name, seed, final, area in rows]
    file.write_text("\n".join([HEAD, *lines]) + "\n")
    return file


def test_collect_writes_what_the_runs_came_to(tmp_path):
    methods = ["fixed:1x4-relu", "race+search.race_networks=3"]
    options = {
        "episodes": 12,
        "max_episode_steps": 20,
        "warm_up": 20,
        "architectures": ["1x4-relu", "1x5-relu", "1x6-relu"],
    }
    study = nasdqn_fast.experiment(methods, ["cartpole"], seeds=2, out=tmp_path / "study", **options)
    command = [sys.executable, BENCH / "robust.py", "collect", tmp_path / "study", "--out", tmp_path / "runs.csv"]
    subprocess.run(command, check=True)
    rows = list(csv.DictReader((tmp_path / "runs.csv").read_text().splitlines()))
    assert [(row["task"], row["method"], int(row["seed"])) for row in rows] == [
        ("cartpole", method, seed) for method in methods for seed in (1000, 1001)
    ]
    assert [int(row["architectures"]) for row in rows] == [1, 1, 3, 3]
    for row, trial in zip(rows, sorted(study.trials(), key=lambda trial: (trial.label, trial.seed)), strict=True):
        summary = study.summary(trial)
        assert float(row["final"]) == pytest.approx(summary["metrics"]["final_mean"])
        assert float(row["area"]) == pytest.approx(summary["mean_return"])
        assert int(row["steps"]) == summary["steps"]


def test_effects_are_differences_over_the_seeds_that_both_have(made_up):
    _, _, first, second = robust.effects(robust.read([made_up]), "a")
    assert first == "| `a` | cartpole | 4 | 255.0 | 201.2 | 3 | 2.0 % |"
    assert second == "| `b` | cartpole | 3 | +10.0 [+10.0, +10.0] | -20.0 [-20.0, -20.0] | 3 | 2.0 % |"


def test_goals_are_ratios_between_random_and_best_and_failures(made_up):
    lines = list(robust.goals(robust.read([made_up]), "a"))
    bounds = robust.RANGES["cartpole"]
    a, b = (next(line for line in lines if line.startswith(f"| `{name}`")) for name in "ab")
    assert "| 25 % [5, 70] |" in a  # 90 is less than halfway between 22.1 and 500
    expected = 100 * (np.mean([300, 320, 310]) - bounds.random) / (np.mean([310, 330, 320]) - bounds.random)
    assert f"| {expected:.1f} % [" in b
    assert f"| {-10 / (bounds.best - bounds.random):+.3f} [" in b


def test_a_group_counts_every_run_and_every_seed_once(tmp_path):
    runs = {"a": {0: 300.0, 1: 320.0}, "fixed:x": {0: 100.0, 1: 200.0}, "fixed:y": {0: 400.0}}
    lines = [f"cartpole,{m},{seed},{final},{final},1,9,9,1,0" for m, by in runs.items() for seed, final in by.items()]
    file = tmp_path / "runs.csv"
    file.write_text("\n".join([HEAD, *lines]) + "\n")
    table = robust.grouped(robust.read([file]), {"a": "A", "fixed:.*": "one at random"})
    assert list(table["cartpole"]) == ["A", "one at random"]
    line = next(line for line in robust.goals(table, "A") if line.startswith("| `one at random`"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:4] == ["3", "233.3", "233.3"]
    assert cells[4].startswith("67 %")  # two of three runs
    bounds = robust.RANGES["cartpole"]
    less = np.mean([300.0 - 250.0, 320.0 - 200.0]) / (bounds.best - bounds.random)
    assert cells[7].startswith(f"{less:+.3f} [")


def test_a_method_without_runs_is_one_line(made_up, capsys):
    with pytest.raises(SystemExit) as ended:
        robust.main(["goals", str(made_up), "--of", "c"])
    assert ended.value.code == 2
    assert "'c' has none of ['cartpole']; there are a, b" in capsys.readouterr().err


def test_a_group_that_is_no_pattern_is_one_line(made_up, capsys):
    with pytest.raises(SystemExit) as ended:
        robust.main(["goals", str(made_up), "--of", "a", "--group", "a(", "A"])
    assert ended.value.code == 2
    assert "--group: 'a(' is no regular expression" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [["area", "final"], ["area"]])
def test_the_figure_has_every_run(made_up, tmp_path, columns):
    """Also where a task lacks a method that another one has."""
    pytest.importorskip("matplotlib")
    made_up.write_text(made_up.read_text() + "".join(f"upright,a,{seed},150,140,1,9,9,1,0\n" for seed in range(3)))
    robust.draw(robust.read([made_up]), tmp_path / "runs.png", columns)
    assert (tmp_path / "runs.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("race", "race"),
        ("fixed:3x64-relu+agent.updates_per_step=3", "fixed:3x64-relu, updates per step=3"),
        ("nas-dqn+search.switch_every=60+search.replay_keep=1", "nas-dqn, switch every=60, replay keep=1"),
    ],
)
def test_methods_are_named_without_sections(label, name):
    assert robust.shown(label) == name


def test_tasks_have_the_names_of_the_table():
    tasks = ("inverted-pendulum+env.start=hanging+env.max_episode_steps=400", "inverted-pendulum", "cartpole")
    assert [*map(robust.short, tasks)] == ["hanging", "upright", "cartpole"]
