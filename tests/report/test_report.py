"""The report of a small study: its oracle is the study's own files."""

import csv
import html
import json
import re
import shutil
import xml.etree.ElementTree
from pathlib import Path

import numpy as np
import pytest

from nasdqn_fast.cli import main
from nasdqn_fast.report import page, verdicts
from nasdqn_fast.report.data import TaskData, rolling, thinned
from nasdqn_fast.report.figures import KINDS
from nasdqn_fast.report.style import OF_PAPER, looks, short, wrapped
from nasdqn_fast.study.outcomes import Group, read_outcomes
from nasdqn_fast.study.study import Study

for library in ("matplotlib", "scipy"):
    pytest.importorskip(library, reason=f"{library} is not installed: pip install 'nasdqn-fast[report]'")

PNG = b"\x89PNG\r\n\x1a\n"


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_verdicts_come_first_and_say_why_there_are_none(studied):
    _, text, _ = studied
    first = text[: text.index("<img")]
    for claim in ("C1", "C2", "C3", "C4", "C5", "C6", "C7"):
        assert f"<strong>{claim}</strong>" in first
    assert "the study has no fixed-medium, fixed-large" in first
    assert 'class="verdict none"' in first


def test_every_figure_is_drawn_or_left_out_with_a_reason(studied):
    folder, text, lines = studied
    drawn = {path.stem for path in (folder / "figures").glob("*.png")}
    left_out = {kind.name for kind in KINDS.values() if f"{html.escape(kind.title)}: left out, since" in text}
    assert drawn | left_out == set(KINDS)
    # 12 episodes: no last hundred to tell apart, and no 50-episode mean that could reach a threshold.
    assert left_out == {"last-episodes", "episodes-to-threshold", "survival"}
    assert lines[0] == "9 of 9 trials have ended"


def test_each_figure_has_a_png_an_svg_and_its_data(studied):
    folder, text, _ = studied
    for path in (folder / "figures").glob("*.png"):
        assert path.read_bytes().startswith(PNG)
        assert xml.etree.ElementTree.parse(path.with_suffix(".svg")).getroot().tag.endswith("svg")
        assert {row["task"] for row in table(path.with_suffix(".csv"))} == {"inverted-pendulum"}
        command = html.escape(f"nasdqn-fast report '{folder}' --figure {path.stem}")
        assert f"<code>{command}</code>" in text


def test_the_page_holds_all_that_it_shows(studied):
    _, text, _ = studied
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert [source for source in sources if re.match(r"(https?:)?//", source)] == []
    images = re.findall(r'<img alt="[^"]+" src="([^"]{30})', text)
    assert len(images) == len(KINDS) - 3
    assert all(image.startswith("data:image/png;base64,") for image in images)
    assert "<script" not in text
    assert "url(" not in text


def test_the_tidy_tables_are_the_runs_files(studied):
    folder, _, _ = studied
    study = Study.open(folder)
    trials, episodes = table(folder / "trials.csv"), table(folder / "episodes.csv")
    assert len(trials) == 9
    assert len(episodes) == 9 * 12
    for trial in study.trials():
        (row,) = (row for row in trials if (row["label"], row["seed"]) == (trial.label, str(trial.seed)))
        metrics = study.summary(trial)["metrics"]
        assert float(row["final_mean"]) == metrics["final_mean"]
        assert row["reached"] == ""
        own = table(Path(trial.path, "episodes.csv"))
        mine = [row for row in episodes if (row["label"], row["seed"]) == (trial.label, str(trial.seed))]
        assert [{key: row[key] for key in own[0]} for row in mine] == own


def test_the_learning_curve_is_the_mean_of_the_runs(studied):
    folder, _, _ = studied
    study = Study.open(folder)
    returns = [study.episodes(trial)["return"] for trial in study.trials() if trial.label == "nas-dqn"]
    window = 3
    expected = [np.mean([run[k : k + window].mean() for run in returns]) for k in range(12 - window + 1)]
    rows = [row for row in table(folder / "figures" / "learning-curves.csv") if row["label"] == "nas-dqn"]
    assert [int(row["episode"]) for row in rows] == list(range(window, 13))
    assert [float(row["mean"]) for row in rows] == pytest.approx(expected, abs=1e-4)
    assert all(float(row["low"]) <= float(row["mean"]) <= float(row["high"]) for row in rows)


def test_the_search_map_counts_all_episodes(studied):
    folder, _, _ = studied
    rows = [row for row in table(folder / "figures" / "search-map.csv") if row["label"] == "random-nas"]
    assert sum(int(row["episodes"]) for row in rows) == 3 * 12
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1, abs=1e-5)
    assert sum(int(row["segments"]) for row in rows) == 3 * 3


def test_the_pareto_figure_holds_methods_architectures_and_their_fronts(studied):
    """From the runs' files: segments of 4 episodes; of each front, what no other row beats."""
    folder, _, _ = studied
    study = Study.open(folder)
    rows = table(folder / "figures" / "pareto.csv")
    methods = {row["name"]: row for row in rows if row["kind"] == "method"}
    assert list(methods) == ["fixed-small", "random-nas", "nas-dqn"]
    returns: dict[str, list[float]] = {}
    for trial in study.trials():
        if trial.label == "fixed-small":
            continue
        episodes = study.episodes(trial)["return"]
        for part in study.summary(trial)["segments"]:
            returns.setdefault(part["architecture"], []).append(episodes[part["first"] - 1 : part["last"]].mean())
    architectures = {row["name"]: row for row in rows if row["kind"] == "architecture"}
    assert set(architectures) == set(returns)
    for name, found in returns.items():
        assert int(architectures[name]["n"]) == len(found)
        assert float(architectures[name]["mean_return"]) == pytest.approx(np.mean(found), abs=1e-4)
    finals = [study.summary(trial)["metrics"]["final_mean"] for trial in study.trials() if trial.label == "nas-dqn"]
    assert float(methods["nas-dqn"]["mean_return"]) == pytest.approx(np.mean(finals), abs=1e-4)
    assert methods["fixed-small"]["parameters"] == "1283"
    for kind in (methods, architectures):
        for row in kind.values():
            cost, value = float(row["parameters"]), float(row["mean_return"])
            others = [(float(one["parameters"]), float(one["mean_return"])) for one in kind.values() if one is not row]
            beaten = any(c <= cost and v >= value and (c, v) != (cost, value) for c, v in others)
            assert row["front_parameters"] == str(int(not beaten))


def test_switch_losses_are_means_before_and_after(studied):
    folder, _, _ = studied
    study = Study.open(folder)
    trials = {(trial.label, trial.seed): trial for trial in study.trials()}
    rows = table(folder / "figures" / "switches.csv")
    assert {row["label"] for row in rows} <= {"random-nas", "nas-dqn"}
    if not rows:
        pytest.fail("no switch to another architecture in 18")
    for row in rows:
        returns = study.episodes(trials[row["label"], int(row["seed"])])["return"]
        first, n = int(row["episode"]), int(row["averaged"])  # first episode under the new architecture, from 1
        assert float(row["before"]) == pytest.approx(returns[first - 1 - n : first - 1].mean(), abs=1e-4)
        assert float(row["first_after"]) == pytest.approx(returns[first - 1 : first - 1 + n].mean(), abs=1e-4)


def test_options_that_the_paper_leaves_open_are_listed_with_the_values_used(studied):
    _, text, _ = studied
    rows = re.findall(r"<tr><td>(--[\w-]+)</td><td>([^<]*)</td>", text)
    values = dict(rows)
    assert values["--batch-size"] == "4"
    assert values["--controller-epsilon-start"] == "1.0"
    assert "--depths" not in values  # the paper gives them


def test_overhead_is_shown_by_profile(studied):
    data = read_outcomes(Study.open(studied[0]))
    groups = [(profile, group) for profile in ("paper", "robust") for group in data.of("inverted-pendulum")]
    rows = re.findall(r"<tr><td>(\w+)</td><td>([\w-]+)</td>", verdicts.search_shares(groups))
    assert ("robust", "nas-dqn") in rows
    assert ("paper", "nas-dqn") in rows


def test_a_figure_is_drawn_again_by_its_command(studied, tmp_path, capsys):
    folder = tmp_path / "copy"
    shutil.copytree(studied[0], folder)
    before = (folder / "figures" / "cost.csv").read_bytes()
    for path in (*(folder / "figures").iterdir(), folder / "report.html"):
        path.unlink()
    assert main(["report", str(folder), "--figure", "cost"]) == 0
    assert {path.name for path in (folder / "figures").iterdir()} == {"cost.png", "cost.svg", "cost.csv"}
    assert (folder / "figures" / "cost.csv").read_bytes() == before
    assert not (folder / "report.html").exists()
    assert capsys.readouterr().out.strip() == str(folder / "figures")


def test_an_unfinished_study_is_reported_as_far_as_it_is(studied, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(studied[0], folder)
    for path in folder.glob("trials/*/nas-dqn/*/summary.json"):
        path.unlink()
    outcomes = read_outcomes(Study.open(folder))
    assert (outcomes.ended, outcomes.planned, outcomes.statuses) == (6, 9, {"unfinished": 3})
    assert not outcomes.is_complete
    assert [group.label for group in outcomes.of("inverted-pendulum")] == ["fixed-small", "random-nas"]
    assert main(["report", str(folder), "--figure", "learning-curves"]) == 0
    assert {row["label"] for row in table(folder / "figures" / "learning-curves.csv")} == {"fixed-small", "random-nas"}


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda run: (run / "episodes.csv").write_text("episode,return,length\n1,abc,3\n"), "is damaged"),
        (lambda run: (run / "episodes.csv").write_text("episode,return,length\n"), "is damaged"),
        (lambda run: (run / "episodes.csv").unlink(), "cannot read"),
        (lambda run: (run / "summary.json").write_text("{"), "cannot read"),
    ],
)
def test_a_damaged_run_is_named(studied, tmp_path, capsys, damage, complaint):
    folder = tmp_path / "copy"
    shutil.copytree(studied[0], folder)
    damage(folder / "trials" / "inverted-pendulum" / "nas-dqn" / "1001")
    assert main(["report", str(folder), "--figure", "cost"]) == 2
    error = capsys.readouterr().err.strip().split("\n")[-1]
    assert complaint in error
    assert "nas-dqn/1001" in error


def test_bad_arguments_are_one_line(studied, tmp_path, capsys, monkeypatch):
    assert main(["report", str(tmp_path)]) == 2
    assert "is not a study" in capsys.readouterr().err
    assert main(["report", str(studied[0]), "--figure", "costs"]) == 2
    assert "did you mean 'cost'?" in capsys.readouterr().err
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    assert main(["report", str(studied[0])]) == 2
    expected = "a report needs matplotlib, scipy: pip install 'nasdqn-fast[report]'"
    assert expected in capsys.readouterr().err


def test_a_study_without_an_ended_trial_has_no_report(studied, tmp_path, capsys):
    (tmp_path / "study.json").write_text((studied[0] / "study.json").read_text())
    assert main(["report", str(tmp_path)]) == 2
    assert "no trial of the study" in capsys.readouterr().err


# Pieces


def test_the_papers_agents_keep_their_colours_and_others_differ():
    labels = [*OF_PAPER, *(f"other-{k}" for k in range(12))]
    found = looks(labels)
    assert {label: found[label].colour for label in OF_PAPER} == OF_PAPER
    assert len({(look.colour, look.dash) for look in found.values()}) == len(labels)


def test_long_labels_are_shown_without_sections():
    label = "nas-dqn+search.transfer=fresh+agent.learning_rate=0.01"
    assert short(label) == "nas-dqn, transfer=fresh, learning_rate=0.01"
    assert wrapped(label) == "nas-dqn, transfer=fresh,\nlearning_rate=0.01"
    assert short("fixed:3x64-relu") == "fixed:3x64-relu"


def test_a_shorter_run_has_no_mean_after_its_end():
    returns = np.array([[1.0, 3, 5, 7], [1, 3, np.nan, np.nan]], np.float32)
    np.testing.assert_array_equal(rolling(returns, 2), [[2, 4, 6], [2, np.nan, np.nan]])


def test_thinned_points_end_with_the_last():
    assert thinned(3).tolist() == [0, 1, 2]
    found = thinned(2_000)
    assert (found[0], found[-1], len(found)) == (0, 1_999, 400)
    assert thinned(0).tolist() == []


def test_a_task_without_threshold_and_optimum_leaves_their_figures_out():
    group = Group("t", "m", "m", (), float("nan"), float("nan"))
    data = TaskData("t", {"m": group}, {"m": np.zeros((0, 200), np.float32)})
    assert KINDS["survival"].draw(data) == "the task has no threshold"
    assert KINDS["regret"].draw(data) == "the task's optimum is not known"
    assert KINDS["search-map"].draw(data) == "no method changes its architecture"


def test_a_summarys_numbers_are_in_the_table_of_the_four_metrics(studied):
    folder, text, _ = studied
    finals = [
        json.loads(path.read_text())["metrics"]["final_mean"] for path in folder.glob("trials/*/nas-dqn/*/summary.json")
    ]
    expected = f"{np.mean(finals):.1f} ± {np.std(finals, ddof=1):.1f}".replace("-", "\N{MINUS SIGN}")
    assert expected in text
