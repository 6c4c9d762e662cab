"""A run's network in a folder that stands by itself: safetensors, ONNX, what it is and how to load it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nasdqn_fast.config import Config
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.errors import InputError
from nasdqn_fast.extras import optional
from nasdqn_fast.interop import onnx
from nasdqn_fast.interop.export_readme import ABOUT, MODEL, readme
from nasdqn_fast.run import directory
from nasdqn_fast.run.directory import NETWORK
from nasdqn_fast.run.evaluation import FILES, Evaluation, evaluate
from nasdqn_fast.run.provenance import build_facts
from nasdqn_fast.statistics.bootstrap import bootstrap, mean
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.validation import check_choice, check_int, check_path

FORMAT = 1
README = "README.md"


def export(run: str | Path, to: str | Path, *, network: str = "last", episodes: int = 100) -> Evaluation:
    """Writes a run's network for others: ``network.safetensors``, ``network.onnx``, ``README.md``, ``config.json``.

    The greedy policy is played first, for the returns that the README states.

    Args:
        run: run directory; of one that is not finished, the network is that of its newest checkpoint.
        to: directory to write, new or empty.
        network: ``last``, or ``best`` by the evaluations of training (``evaluate_every``).
        episodes: to play, >= 2.

    Returns:
        what was played.

    Raises:
        MissingExtra: the ``onnx`` package is not installed.
        InputError: as `evaluate`; the network is a sum; or `to` is not empty or cannot be written.
        TypeError, ValueError: an argument of the wrong type or out of range.
    """
    optional("onnx", "onnx")
    run, to = check_path("run", run), check_path("to", to)
    check_choice("network", network, tuple(FILES))
    episodes = check_int("episodes", episodes, 2)
    config = directory.read_config(run)
    directory.check_free(to)
    evaluation = evaluate(run, episodes, network=network)
    played = evaluation.network
    assert played is not None
    played.check_alone()
    about = _about(config, evaluation, played, network)
    try:
        to.mkdir(parents=True, exist_ok=True)
        played.save(to / NETWORK)
        onnx.save(played, to / MODEL)
        _write(to / ABOUT, json.dumps(about, indent=2, allow_nan=False) + "\n")
        _write(to / README, readme(run, about, played))  # last: with it, the folder is whole
    except OSError as error:
        raise InputError(f"cannot write {error.filename or str(to)!r}: {error.strerror or error}") from None
    return evaluation


def _write(path: Path, text: str) -> None:
    with replacing(path, durable=True) as file:
        file.write(text.encode())


def _about(config: Config, evaluation: Evaluation, network: BaseNetwork, which: str) -> dict[str, Any]:
    """What ``config.json`` holds."""
    returns, architecture = evaluation.returns, network.architecture
    low, high = bootstrap(mean, returns)
    return {
        "format": FORMAT,
        "architecture": str(architecture),
        "activation": architecture.activation,
        "sizes": list(architecture.layer_sizes(network.observation_size, network.n_actions)),
        "observation_size": network.observation_size,
        "n_actions": network.n_actions,
        "normalizes_observations": network.normalizer is not None,
        "network": which,
        "source": evaluation.source,
        "evaluation": {
            "episodes": len(returns),
            "mean_return": float(returns.mean()),
            "interval_95": [low, high],
            "std": float(returns.std(ddof=1)),
            "optimum": evaluation.optimum,
        },
        "training": config.as_json(),
        "build": build_facts(),
    }
