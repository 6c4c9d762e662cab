"""Steps a second of Gymnasium's vector environments beside ours, by Gymnasium's own measure.

    python bench/gymnasium_vector.py
    python bench/gymnasium_vector.py --env Acrobot-v1 --num-envs 64 --seconds 5

Sampling the actions is part of the measure, as Gymnasium has it. Rounds alternate; the figures are medians over them,
and the ratio is the median of each round's.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence

import gymnasium
from gymnasium.utils.performance import benchmark_vector_step

import nasdqn_fast  # noqa: F401, registers the ids
from nasdqn_fast.benchmarking import machine


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--env", default="CartPole-v1", help="an id of Gymnasium that has a compiled twin")
    parser.add_argument("--num-envs", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each kind in each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)

    machine.pin()
    original = gymnasium.spec(options.env)
    modes = {"Gymnasium, one after the other": (options.env, "sync")}
    if original.vector_entry_point is not None:
        modes["Gymnasium, NumPy over all"] = (options.env, "vector_entry_point")
    modes["ours"] = (f"nasdqn_fast/{options.env}", "vector_entry_point")
    speeds: dict[str, list[float]] = {name: [] for name in modes}
    for _ in range(options.rounds):
        for name, (env_id, mode) in modes.items():
            env = gymnasium.make_vec(env_id, options.num_envs, vectorization_mode=mode)
            speeds[name].append(benchmark_vector_step(env, target_duration=options.seconds, seed=0))
            env.close()
    for name, values in speeds.items():
        ratio = statistics.median(ours / theirs for ours, theirs in zip(speeds["ours"], values, strict=True))
        print(f"{name:32} {statistics.median(values):14,.0f} steps/s   ours is {ratio:6.1f}x")


if __name__ == "__main__":
    main()
