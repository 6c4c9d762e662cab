"""``nasdqn-fast evaluate``: the greedy policy of a finished run."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--episodes", type=click.IntRange(min=1), default=100, show_default=True, help="Episodes to play.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the starts [default: the run's own].")
def command(run: Path, episodes: int, seed: int | None) -> None:
    """Play the greedy policy of the run directory RUN."""
    from nasdqn_fast.cli.display import screen
    from nasdqn_fast.cli.tables import show_evaluation
    from nasdqn_fast.run.evaluation import evaluate

    show_evaluation(screen(), evaluate(run, episodes, seed=seed))
