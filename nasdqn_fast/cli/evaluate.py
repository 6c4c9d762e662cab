"""``nasdqn-fast evaluate``: the greedy policy of a run."""

from __future__ import annotations

from pathlib import Path

import click

from nasdqn_fast.cli.options import KeyValueType

NETWORK = click.option(
    "--network",
    type=click.Choice(["last", "best"]),
    default="last",
    show_default=True,
    help="The last network, or the best of --evaluate-every.",
)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--episodes", type=click.IntRange(min=1), default=100, show_default=True, help="Episodes to play.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the starts.  [default: the run's own]")
@NETWORK
@click.option("--start", help="Initial-state distribution.  [default: the run's own]")
@click.option(
    "--env-param", type=KeyValueType(), multiple=True, help="A parameter of the environment to change; repeatable."
)
@click.option("--max-episode-steps", type=int, help="Steps until an episode is truncated.  [default: the run's own]")
def command(
    run: Path,
    episodes: int,
    seed: int | None,
    network: str,
    start: str | None,
    env_param: tuple[tuple[str, float], ...],
    max_episode_steps: int | None,
) -> None:
    """Play the greedy policy of the run in the directory RUN.

    An unfinished run is evaluated as of its newest checkpoint.
    """
    from nasdqn_fast.cli.display import screen
    from nasdqn_fast.cli.tables import show_evaluation
    from nasdqn_fast.run.evaluation import evaluate

    evaluation = evaluate(
        run,
        episodes,
        seed=seed,
        network=network,
        start=start,
        env_param=dict(env_param) or None,
        max_episode_steps=max_episode_steps,
    )
    show_evaluation(screen(), evaluation)
