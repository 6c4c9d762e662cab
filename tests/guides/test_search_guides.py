"""docs/search.md and docs/trial_estimators.md, carried out: their files are written and run."""

import re
from pathlib import Path

import pytest

from nasdqn_fast import plugins
from nasdqn_fast.study.table.plan import Plan
from nasdqn_fast.study.table.tabulate import tabulate

DOCS = Path(__file__).parents[2] / "docs"


def test_the_search_finds_and_reports(written, python):
    folder = written(DOCS / "search.md")
    *trials, found = python(folder, "search_by_trials.py").splitlines()
    assert [line.split()[0] for line in trials] == ["1", "2", "3", "4"]
    assert re.fullmatch(r"1x(8|16)-relu \d+\.\d+ \(-?\d+\.\d+, \d+\.\d+\)", found)
    lines = (folder / "small-search/searches/cartpole/evolution/0/trials.jsonl").read_text().splitlines()
    page = (DOCS / "search.md").read_text(encoding="utf-8").partition("A line of `trials.jsonl`")[2]
    for name in re.findall(r'"(\w+)": ', re.sub(r'"(proposal|cost)": \{[^}]*\}', r'"\1": 0', lines[0])):
        assert f"`{name}`" in page, name


@pytest.mark.slow
def test_the_estimator_keeps_its_contract(written, python):
    output = python(
        written(DOCS / "trial_estimators.md"),
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_trial_estimator.py"),
    )
    assert re.search(r"\d+ passed in", output)


def test_the_ranking_is_compared(written, python):
    folder = written(DOCS / "trial_estimators.md")
    learner = {"warm_up": 10, "batch_size": 4}
    plan = Plan(("cartpole",), ("1x4-relu", "1x8-relu"), 2, 6, evaluate_every=6, evaluate_episodes=1, learner=learner)
    tabulate(folder / "table", plan, threads=1)
    assert re.fullmatch(r"-?\d\.\d \(-?\d\.\d, \d\.\d\) \d\.\d+\n", python(folder, "rank.py"))


@pytest.mark.parametrize("name", plugins.names("trial-estimators"))
def test_the_page_lists_every_trial_estimator(name):
    page = (DOCS / "trial_estimators.md").read_text(encoding="utf-8").partition("How well do they rank")[0]
    assert re.search(rf"^\| (`\w+`, )?`{name}`[ ,]", page, re.MULTILINE)
