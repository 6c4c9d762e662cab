"""The league table: the regret of every controller on a task, beside uniform draws and the expert."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from nasdqn_fast.config import all_methods
from nasdqn_fast.run.directory import write_texts
from nasdqn_fast.statistics.bootstrap import Interval, bootstrap, mean
from nasdqn_fast.study.table.expert import expert_scores
from nasdqn_fast.study.table.search import TableSearch

ALL = "all"  # in place of a method's name
UNIFORM = "random-nas"  # what every other has to do better than
EXPERT, EXHAUSTIVE = "expert", "every run"
LEAGUE = "league.csv"
COLUMNS = ("method", "trial", "searches", "regret", "low", "high", "gain", "gain_low", "gain_high")
_CONTROLS = ("fixed", "prune-only", "reset-only")  # which choose nothing
_NEEDED = {"optuna": "optuna"}  # method -> package


@dataclass(frozen=True)
class Standing:
    """A method after so many trials.

    Args:
        method: which.
        trial: after which.
        regret: mean over its searches.
        interval: 95 %, of whole searches drawn with replacement; of a single one its regret.
        gain: of uniform draws, how much higher their regret is: mean over the seeds that both have; NaN without any.
        gain_interval: 95 %.
    """

    method: str
    trial: int
    regret: float
    interval: Interval
    gain: float
    gain_interval: Interval

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` than uniform draws where the interval says so; else empty."""
        return verdict_of(self.gain_interval)


def verdict_of(gain: Interval) -> str:
    """``better``, ``worse`` or nothing, by an interval of how far a regret is below that of uniform draws."""
    low, high = gain
    return "better" if low > 0 else "worse" if high < 0 else ""


def league_methods() -> list[str]:
    """The methods that search, one network after the other, and whose packages are installed."""
    return [
        name
        for name, method in all_methods().items()
        if method.loop == "online"
        and method.architecture is None
        and name not in _CONTROLS
        and (name not in _NEEDED or find_spec(_NEEDED[name]) is not None)
    ]


def expanded(methods: Sequence[str]) -> list[str]:
    """The methods, with all of `league_methods` in place of ``all``; each once."""
    return list(dict.fromkeys(name for one in methods for name in (league_methods() if one == ALL else [one])))


def milestones(trials: int) -> tuple[int, ...]:
    """After which trials a league is shown: a fifth, a half, and all of them."""
    return tuple(dict.fromkeys(max(1, round(trials * share)) for share in (0.2, 0.5, 1.0)))


def standing(method: str, trial: int, found: Mapping[str, Sequence[TableSearch]]) -> Standing:
    """Where a method stands.

    Args:
        method: a key of `found`.
        trial: after which, from 1.
        found: method -> its searches; `UNIFORM` among them, or there are no gains.
    """
    regrets = _regrets(found[method], trial)
    uniform = _regrets(found.get(UNIFORM, ()), trial)
    both = [uniform[seed] - regrets[seed] for seed in regrets if seed in uniform]
    average, interval = _with_interval(list(regrets.values()))
    return Standing(method, trial, average, interval, *_with_interval(both))


def expert_regrets(found: Mapping[str, Sequence[TableSearch]]) -> np.ndarray:
    """The expert's expected regret after each trial: float64 (trials,)."""
    one = next(iter(found.values()))[0]
    return one.optimum - expert_scores(one.final_scores, len(one.trials))


def exhaustive_regret(found: Mapping[str, Sequence[TableSearch]]) -> float:
    """Regret of the architecture that looks best when all runs for searching are seen: what patience leaves."""
    one = next(iter(found.values()))[0]
    return float(one.optimum - one.final_scores[int(np.argmax(one.search_scores))])


def league(found: Mapping[str, Sequence[TableSearch]]) -> list[list[Standing]]:
    """Of each method its standings after `milestones`, the lowest regret at the end first."""
    trials = len(next(iter(found.values()))[0].trials)
    rows = [[standing(method, trial, found) for trial in milestones(trials)] for method in found]
    return sorted(rows, key=lambda row: row[-1].regret)


def write(out: Path, found: Mapping[str, Sequence[TableSearch]]) -> None:
    """Writes ``league.csv``: every method, the expert and the search of every run, after every trial.

    Raises:
        InputError: it cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(_rows(found))
    write_texts(out, {LEAGUE: text.getvalue()})


def _rows(found: Mapping[str, Sequence[TableSearch]]) -> Iterator[list[object]]:
    for method, searches in found.items():
        for trial in range(1, len(searches[0].trials) + 1):
            one = standing(method, trial, found)
            numbers = (one.regret, *one.interval, one.gain, *one.gain_interval)
            yield [method, trial, len(searches), *("" if number != number else number for number in numbers)]
    for trial, regret in enumerate(expert_regrets(found).tolist(), start=1):
        yield [EXPERT, trial, "", regret, "", "", "", "", ""]
        yield [EXHAUSTIVE, trial, "", exhaustive_regret(found), "", "", "", "", ""]


def _regrets(searches: Sequence[TableSearch], trial: int) -> dict[int, float]:
    """Seed -> regret after a trial."""
    return {search.seed: float(search.regrets[trial - 1]) for search in searches}


def _with_interval(values: Sequence[float]) -> tuple[float, Interval]:
    if not values:
        return np.nan, (np.nan, np.nan)
    sample = np.array(values)
    return float(sample.mean()), bootstrap(mean, sample) if len(sample) > 1 else (values[0], values[0])
