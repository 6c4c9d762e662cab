"""What searches on a table leave: a summary and every trial."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.rewards import latency_file
from nasdqn_fast.run import directory
from nasdqn_fast.run.directory import write_texts
from nasdqn_fast.statistics.bootstrap import bootstrap, mean
from nasdqn_fast.study.table.search import TableSearch
from nasdqn_fast.validation import check_path

SUMMARY, TRIALS, LATENCIES = "summary.json", "trials.csv", "latencies.json"
FORMAT = 1


def check_free(out: str | Path) -> Path:
    """The directory, if it can be written to.

    Raises:
        InputError: something is there already.
    """
    out = check_path("out", out)
    directory.check_free(out)
    return out


def summary_of(searches: Sequence[TableSearch]) -> dict[str, Any]:
    """Plain JSON values: means over the searches with 95 % intervals, None of a single one, and each search."""
    columns = {name: [float(getattr(search, name)) for search in searches] for name in ("final_score", "regret")}
    means: dict[str, Any] = {name: float(np.mean(values)) for name, values in columns.items()}
    intervals = {
        f"{name}_interval": bootstrap(mean, np.array(values)) if len(values) > 1 else None
        for name, values in columns.items()
    }
    return {
        "seeds": len(searches),
        **means,
        **intervals,
        "steps": float(np.mean([search.cost.steps for search in searches])),
        "flop": float(np.mean([search.cost.flop for search in searches])),
        "searches": [
            {
                "seed": search.seed,
                "best": str(search.best),
                "final_score": search.final_score,
                "regret": search.regret,
                "cost": vars(search.cost),
            }
            for search in searches
        ],
    }


def write(out: Path, about: Mapping[str, Any], found: Mapping[str, Sequence[TableSearch]]) -> None:
    """Writes ``summary.json`` and ``trials.csv``, and ``latencies.json`` where latencies are in the reward.

    Args:
        out: directory, as `check_free` returns it.
        about: what was asked for: table, task, trials and so on.
        found: method -> its searches, which have the same latencies if they have any.

    Raises:
        InputError: it cannot be written.
    """
    latencies = next(iter(found.values()))[0].latencies
    summary = {"format": FORMAT, **about, "methods": {name: summary_of(searches) for name, searches in found.items()}}
    texts = {SUMMARY: f"{json.dumps(summary, indent=2)}\n", TRIALS: _trials(found)}
    if latencies:
        texts[LATENCIES] = latency_file.text_of(latencies)
    write_texts(out, texts)


def _trials(found: Mapping[str, Sequence[TableSearch]]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
        ["method", "search_seed", "trial", "reason", "seed", "episodes", "steps", "score", "regret", "architecture"]
    )
    for method, searches in found.items():
        for search in searches:
            columns = zip(search.trials, search.seeds, search.regrets.tolist(), strict=True)
            for number, (result, seed, regret) in enumerate(columns, start=1):
                what = (result.proposal.reason, seed, len(result.returns), result.cost.steps)
                rows.writerow([method, search.seed, number, *what, result.score, regret, result.architecture])
    return text.getvalue()
