"""Steps per second on Gymnasium's own CartPole-v1, beside Stable-Baselines3's DQN and CleanRL's ``dqn.py``.

    python bench/gymnasium_steps.py
    python bench/gymnasium_steps.py --cleanrl CHECKOUT --cleanrl-python PYTHON --rounds 7

Ours trains with the profile of the other's name, which is the other's settings. Each run is a process of its own with
one thread on one core, ours and the others' in turns; imports are not counted. A second line splits a step of ours into
the environment's `step` and `reset` and the updates, each measured alone, what the loop takes besides, and what the run
does around it: it is set up, and each episode is reported. CleanRL's script is run by an
interpreter that has torch, tyro, tensorboard, gymnasium 0.29.1 and numpy<2, Stable-Baselines3 by one that has it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

BENCH = Path(__file__).parent
TASK = "CartPole-v1"
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
Seconds = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000, help="environment steps of a run; default: 20000")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each; default: 5")
    parser.add_argument(
        "--sb3-python", default=sys.executable, help="interpreter with stable-baselines3; default: this"
    )
    parser.add_argument("--cleanrl", type=Path, help="a checkout of CleanRL; without it, its part is left out")
    parser.add_argument("--cleanrl-python", default=sys.executable, help="interpreter for its script; default: this")
    parser.add_argument(
        "--clock", choices=["cpu", "wall"], default="cpu", help="default: cpu, which neighbours disturb less"
    )
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        print(json.dumps(WORKERS[options.worker](options)))
        return
    if options.cleanrl and not (options.cleanrl / "cleanrl" / "dqn.py").is_file():
        parser.error(f"no cleanrl/dqn.py in {options.cleanrl}: --cleanrl is the top folder of a checkout of CleanRL")
    from nasdqn_fast.benchmarking import machine

    print(f"{machine.pin()}; {options.steps:,} steps a run, {options.rounds} runs each, {options.clock} time")
    others = {"sb3": options.sb3_python} | ({"cleanrl": options.cleanrl_python} if options.cleanrl else {})
    times: dict[str, list[Seconds]] = {}
    for _ in range(options.rounds):
        for name, python in others.items():
            for worker, interpreter in ((f"ours-{name}", sys.executable), (name, python)):
                times.setdefault(worker, []).append(measured(options, worker, interpreter))
            times.setdefault(f"parts-{name}", []).append(measured(options, f"parts-{name}", sys.executable))
    for name in others:
        show(name, times, options)


def measured(options: argparse.Namespace, worker: str, interpreter: str) -> Seconds:
    """What a process of its own measures."""
    command = [interpreter, __file__, "--worker", worker, "--steps", str(options.steps)]
    if options.cleanrl:
        command += ["--cleanrl", str(options.cleanrl)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | THREADS)
    if done.returncode:
        raise SystemExit(f"{worker} failed:\n{done.stderr}")
    seconds: Seconds = json.loads(done.stdout.splitlines()[-1])
    return seconds


def show(name: str, times: dict[str, list[Seconds]], options: argparse.Namespace) -> None:
    """A line with steps/s, theirs and ours, and their ratio; one with the parts of a step of ours."""
    import numpy as np

    from nasdqn_fast.benchmarking.intervals import ratio_of_sums

    theirs, ours = (np.array([run[options.clock] for run in times[who]]) for who in (name, f"ours-{name}"))
    low, high = ratio_of_sums(np.stack([theirs, ours], axis=1))
    rates = [options.steps / np.median(seconds) for seconds in (theirs, ours)]
    print(
        f"{name:8} theirs {rates[0]:9,.0f} steps/s   ours {rates[1]:9,.0f} steps/s   "
        f"{theirs.sum() / ours.sum():5.1f}x [{low:.1f}, {high:.1f}]"
    )
    a_step = 1e6 / options.steps
    parts = {
        part: np.median([run[part] for run in times[f"parts-{name}"]]) * a_step for part in ("env", "update", "loop")
    }
    whole = np.median(ours) * a_step
    rest, episodes = whole - sum(parts.values()), times[f"ours-{name}"][0]["episodes"]
    print(
        f"{'':8} a step of ours {whole:.2f} us: environment {parts['env']:.2f}, updates {parts['update']:.2f}, "
        f"loop {parts['loop']:.2f}, run {rest:.2f} ({episodes:,} episodes)"
    )


def _ours(profile: str, options: argparse.Namespace) -> Seconds:
    import nasdqn_fast

    nasdqn_fast.train(env=TASK, profile=profile, steps=20)  # imports what a run needs
    wall, cpu = time.perf_counter(), time.process_time()
    result = nasdqn_fast.train(env=TASK, profile=profile, steps=options.steps)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"cpu": cpu, "wall": wall, "episodes": len(result.episodes)}


def _theirs(profile: str, options: argparse.Namespace) -> Seconds:
    sys.path.insert(0, str(BENCH))
    from learning_curves import originals
    from learning_curves.runs import Case

    run = originals.train(Case(profile, TASK, options.steps), 0, options.cleanrl)
    return {"cpu": run.cpu, "wall": run.wall}


def _parts(profile: str, options: argparse.Namespace) -> Seconds:
    """Of a run of ours: the environment, with as many resets; the updates; and the rest of the loop."""
    import gymnasium
    import numpy as np

    import nasdqn_fast
    from nasdqn_fast.config import resolve

    config = resolve(None, {"env": TASK, "profile": profile, "steps": options.steps})
    assert config.search.architecture is not None
    agent = nasdqn_fast.DQNAgent(TASK, config.search.architecture, **vars(config.agent))
    started = time.process_time()
    episodes = len(agent.run_episodes(options.steps))  # fewer: the last step ends it
    loop = time.process_time() - started
    updates, started = agent.updates, time.process_time()
    for _ in range(updates):
        agent.learn()
    update = time.process_time() - started

    env, actions = gymnasium.make(TASK), np.random.default_rng(0).integers(2, size=options.steps)
    env.reset(seed=0)
    started = time.process_time()
    for _ in range(episodes):
        env.reset()
    resets = time.process_time() - started
    step, ended, started = env.step, 0, time.process_time()
    for action in actions:
        _, _, terminated, truncated, _ = step(action)
        if terminated or truncated:
            env.reset()
            ended += 1
    steps = time.process_time() - started - resets * ended / episodes
    return {"env": steps + resets, "update": update, "loop": loop - steps - resets - update}


WORKERS = {
    f"{kind}{profile}": lambda options, work=work, profile=profile: work(profile, options)
    for profile in ("sb3", "cleanrl")
    for kind, work in (("ours-", _ours), ("", _theirs), ("parts-", _parts))
}

if __name__ == "__main__":
    main()
