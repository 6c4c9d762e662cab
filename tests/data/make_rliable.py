"""Writes rliable.json: what rliable (Agarwal et al. 2021) gives for a few sets of runs, once and for all.

    python -m venv old && old/bin/pip install 'numpy<2.3' 'pandas<2.3' scipy seaborn absl-py statsmodels 'arch==7.*'
    old/bin/pip install --no-deps rliable
    old/bin/python tests/data/make_rliable.py

rliable does not install beside today's pandas, hence the environment of its own; this file is kept with its results.
"""

import json
from pathlib import Path

import numpy as np
from rliable import library, metrics

RESAMPLES = 50_000


def samples(rng):
    """Sets of runs of one task: of several sizes, with a failing quarter, with ties."""
    yield "three", rng.normal(180, 10, 3), rng.normal(170, 20, 3)
    yield "ten", rng.normal(180, 10, 10), rng.normal(175, 20, 10)
    yield (
        "failing",
        np.where(rng.random(37) < 0.25, rng.normal(90, 20, 37), rng.normal(190, 3, 37)),
        rng.normal(150, 30, 41),
    )
    yield "ties", rng.integers(0, 6, 50).astype(float), rng.integers(1, 7, 50).astype(float)


def main():
    rng = np.random.default_rng(20251028)
    np.random.seed(0)  # rliable draws from NumPy's global generator  # noqa: NPY002
    result = {}
    for name, a, b in samples(rng):
        # One task: (runs, 1). The other way round, rliable's interval has no width.
        scores = {"a": a[:, None], "b": b[:, None]}
        entry = {"a": a.tolist(), "b": b.tolist()}
        for statistic in ("iqm", "mean", "median"):
            # Not aggregate_median: with one task, that is the mean.
            function = (lambda x: np.median(x)) if statistic == "median" else getattr(metrics, f"aggregate_{statistic}")
            points, intervals = library.get_interval_estimates(
                {"a": scores["a"]}, lambda x, function=function: np.array([function(x)]), reps=RESAMPLES
            )
            entry[statistic] = {"value": float(points["a"][0]), "interval": intervals["a"].ravel().tolist()}
        points, intervals = library.get_interval_estimates(
            {"a,b": (scores["a"], scores["b"])}, metrics.probability_of_improvement, reps=2_000
        )
        entry["improvement"] = {"value": float(points["a,b"]), "interval": intervals["a,b"].ravel().tolist()}
        result[name] = entry
    Path(__file__).with_name("rliable.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
