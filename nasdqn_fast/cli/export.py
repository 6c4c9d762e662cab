"""``nasdqn-fast export``: a run's network for others."""

from __future__ import annotations

from pathlib import Path

import click

from nasdqn_fast.cli.evaluate import NETWORK


@click.command(short_help="Write a run's network as safetensors and ONNX, with a README.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Directory to write; new or empty.")
@NETWORK
@click.option(
    "--episodes",
    type=click.IntRange(min=2),
    default=100,
    show_default=True,
    help="Episodes to play, for the returns in the README.",
)
def command(run: Path, to: Path, network: str, episodes: int) -> None:
    """Write the network of the run in the directory RUN for other libraries, with a README on how to load it.

    The directory gets network.safetensors, network.onnx, README.md and config.json. Needs the extra [onnx].
    """
    from nasdqn_fast.cli.display import screen
    from nasdqn_fast.cli.tables import show_evaluation
    from nasdqn_fast.interop.export import export

    console = screen()
    show_evaluation(console, export(run, to, network=network, episodes=episodes))
    console.print(f"written to {to}", soft_wrap=True, markup=False)
