"""Learning curves of Stable-Baselines3, CleanRL and RL Zoo's settings beside ours, and whether they are the same.

    python bench/parity.py record --cleanrl CHECKOUT --out runs/originals   # hours; goes on where it was stopped
    python bench/parity.py ours --out runs/ours                             # minutes to an hour
    python bench/parity.py compare --originals runs/originals --ours runs/ours
    python bench/parity.py compare                                          # from the tables in bench/parity_data

`record` needs stable-baselines3, and for CleanRL's script tyro, tensorboard, gymnasium==0.29.1 and numpy<2; `compare`
needs nasdqn_fast with scipy and matplotlib. docs/parity.md says what was found.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "bench"))
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # read when NumPy and torch are imported

from learning_curves import runs  # noqa: E402

DATA = ROOT / "bench" / "parity_data"
FIGURE = ROOT / "docs" / "figures" / "parity.png"
Trainer = Callable[[runs.Case, int], runs.Run]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="parity.py"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    record = commands.add_parser("record", help="train the originals")
    record.add_argument("--cleanrl", type=Path, help="a checkout of CleanRL; without it, its cases are left out")
    _training_options(record, seeds=20)
    record.set_defaults(run=_record)

    ours = commands.add_parser("ours", help="train ours, under the profiles of the same names")
    _training_options(ours, seeds=100)
    ours.set_defaults(run=_ours)

    compare = commands.add_parser("compare", help="print the tables and draw the figure")
    compare.add_argument("--originals", type=Path, help="runs of `record`, to refresh the tables with")
    compare.add_argument("--ours", type=Path, help="runs of `ours`, likewise")
    compare.add_argument("--data", type=Path, default=DATA, help="folder of the tables; default: bench/parity_data")
    compare.add_argument("--figure", type=Path, default=FIGURE, help="default: docs/figures/parity.png")
    compare.set_defaults(run=_compare)

    draws = commands.add_parser("draws", help="train ours under profile cleanrl, and keep its random draws in a file")
    draws.add_argument("file", type=Path, help="JSON, to be written")
    draws.add_argument("--task", choices=sorted(runs.OURS), default="CartPole-v1", help="default: CartPole-v1")
    draws.add_argument("--seed", type=int, default=1, help="default: 1")
    draws.add_argument("--steps", type=_positive, default=100_000, help="default: 100000")
    draws.set_defaults(run=_draws)

    replay = commands.add_parser("replay", help="run CleanRL's script with them: does it play our episodes?")
    replay.add_argument("file", type=Path, help="from `draws`")
    replay.add_argument("--cleanrl", type=Path, required=True, help="a checkout of CleanRL")
    replay.set_defaults(run=_replay)

    options = parser.parse_args(arguments)
    options.run(options, parser.error)


Refuse = Callable[[str], None]


def _training_options(parser: argparse.ArgumentParser, seeds: int) -> None:
    names = [case.name for case in runs.CASES]
    parser.add_argument("--cases", nargs="+", choices=names, default=names, metavar="CASE", help=", ".join(names))
    parser.add_argument("--seeds", type=_positive, default=seeds, help=f"how many, from 0; default: {seeds}")
    parser.add_argument("--workers", type=_positive, default=2, help="processes of one thread each; default: 2")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs; those that it has are kept")


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return number


def _record(options: argparse.Namespace, refuse: Refuse) -> None:
    wanted = [case for case in runs.CASES if case.name in options.cases]
    if options.cleanrl is None:
        left_out = [case.name for case in wanted if case.profile == "cleanrl"]
        wanted = [case for case in wanted if case.profile != "cleanrl"]
        if left_out:
            print(f"left out without --cleanrl: {', '.join(left_out)}")
    else:
        _check_checkout(options.cleanrl, refuse)
    needed = ["torch", "gymnasium"]
    if any(case.profile != "cleanrl" for case in wanted):
        needed.append("stable_baselines3")
    if any(case.profile == "cleanrl" for case in wanted):
        needed += ["tyro", "tensorboard"]
    _check_installed(needed, refuse)
    from learning_curves import originals

    _train(wanted, partial(originals.train, checkout=options.cleanrl), options)


def _ours(options: argparse.Namespace, refuse: Refuse) -> None:
    _check_installed(["nasdqn_fast"], refuse)
    from learning_curves import ours

    _train([case for case in runs.CASES if case.name in options.cases], ours.train, options)


def _draws(options: argparse.Namespace, refuse: Refuse) -> None:
    _check_installed(["nasdqn_fast"], refuse)
    from learning_curves import replay

    episodes = replay.write_draws(options.file, options.task, options.seed, options.steps)
    print(f"{options.file}: {episodes:,} episodes")


def _replay(options: argparse.Namespace, refuse: Refuse) -> None:
    if not options.file.is_file():
        refuse(f"no file {options.file}: `draws` writes it")
    _check_checkout(options.cleanrl, refuse)
    _check_installed(["torch", "gymnasium", "tyro", "tensorboard"], refuse)
    from learning_curves import replay

    print(replay.replay(options.file, options.cleanrl))


def _check_checkout(folder: Path, refuse: Refuse) -> None:
    if not (folder / "cleanrl" / "dqn.py").is_file():
        refuse(f"no cleanrl/dqn.py in {folder}: --cleanrl is the top folder of a checkout of CleanRL")


def _check_installed(modules: Sequence[str], refuse: Refuse) -> None:
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        packages = [{"stable_baselines3": "stable-baselines3", "nasdqn_fast": "."}.get(name, name) for name in missing]
        refuse(f"not installed: {', '.join(missing)}; pip install {' '.join(packages)}")


def _train(cases: Sequence[runs.Case], trainer: Trainer, options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = [
        (case, seed)
        for case, seed in itertools.product(cases, range(options.seeds))
        if not runs.path(options.out, case, seed).exists()
    ]
    with ProcessPoolExecutor(options.workers) as pool:
        futures = [pool.submit(_train_one, trainer, case, seed, options.out) for case, seed in wanted]
        try:
            for future in as_completed(futures):
                print(time.strftime("%H:%M:%S"), future.result(), flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _train_one(trainer: Trainer, case: runs.Case, seed: int, out: Path) -> str:
    run = trainer(case, seed)
    run.save(runs.path(out, case, seed))
    return f"{case.name} seed {seed}: greedy {run.greedy.mean():.1f}, {run.cpu:.1f} s of CPU time"


def _compare(options: argparse.Namespace, refuse: Refuse) -> None:
    _check_installed(["scipy", "nasdqn_fast"], refuse)
    from learning_curves import figure, report, summary

    for who, folder in zip(summary.WHO, (options.originals, options.ours), strict=True):
        if folder is None:
            continue
        found = {case: summary.summarize(folder, case) for case in runs.CASES}
        if not any(found.values()):
            refuse(f"no runs in {folder}: expected files such as {runs.path(folder, runs.CASES[0], 0)}")
        for case, runs_of_case in found.items():
            if runs_of_case is not None:
                summary.write(options.data, who, case, runs_of_case)
    if not any(True for _ in summary.pairs(options.data)):
        refuse(f"nothing to compare in {options.data}: it needs two runs of a case from `record`, two from `ours`")
    print(report.tables(options.data))
    if find_spec("matplotlib") is None:
        print("no figure: pip install 'nasdqn-fast[report]' for matplotlib")
        return
    options.figure.parent.mkdir(parents=True, exist_ok=True)
    figure.draw(options.data, options.figure)
    print(f"\n{options.figure}")


if __name__ == "__main__":
    main()
