"""Trains an agent on the mountain car of the file beside this one.

Some three seconds, compilation included:

    python examples/own_environment/train.py

A car that never gets out of the valley has a return of -200, a good driver about -42 from this start.
The last line is the mean return of ten greedy episodes, some -43. Of the seeds 0 to 11,
three never got out and one came to -108.
"""

import argparse

from mountain_car import plugin

from nasdqn_fast import DQNAgent


def main(episodes: int) -> None:
    agent = DQNAgent(
        plugin.bind(start="left-slope"),
        "2x32-relu",
        optimizer="adam",
        learning_rate=1e-3,
        target_every=200,
        rng=1,
    )
    for played in range(0, episodes, 50):
        returns = agent.run_episodes(min(50, episodes - played)).returns
        print(f"episodes {played + 1} to {played + len(returns)}: mean return {returns.mean():.1f}")
    print(f"greedy: mean return {agent.play_episodes(10).returns.mean():.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="DQN on a mountain car")
    parser.add_argument("--episodes", type=int, default=400)
    main(parser.parse_args().episodes)
