"""Mutation tests: one operator, constant or index is changed at a time, and the quick tests must notice.

    python tools/mutants.py --seed 1 --count 20             # of the C core
    python tools/mutants.py --seed 1 --count 5 --files 'ext/kernels/replay.c' 'ext/kernels/target/*.c'
    python tools/mutants.py --seed 1 --count 20 --python    # of what is written in Python, by cosmic-ray's operators

The tree is copied to a temporary folder with what is built in it (`python setup.py build_ext --inplace` first). The
tests that are mapped to the changed file run there, until the first that fails. A line for each mutant says where it
is, what was changed, and which test killed it, or that it survived. A survivor is either equivalent, which a person has
to judge, or calls for a new test. Of one in C it is said whether the program of tests/c notices, which is a slow test.
Mutants that do not compile are drawn anew. Each takes a minute on a free machine. A test that kills a mutant is also
run on the unchanged tree: if it fails there, the script ends with exit code 1.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LIMIT = 600.0  # s, for the tests of one mutant: a loop that does not end is noticed, too
GUARDED = "tests/engine/test_c_program.py"  # runs tests/c, with guards around each block of memory; slow
REPLAY_IN_PYTHON = (
    "tests/engine/test_replay.py",
    "tests/engine/test_n_step.py",
    "tests/engine/test_pruning.py",
    "tests/engine/test_prioritized.py",
    "tests/engine/test_valid_transitions.py",
)
AGENT_IN_PYTHON = (
    "tests/reference",
    "tests/engine/test_agent_settings.py",
    "tests/engine/test_agent_loop.py",
    "tests/engine/test_agent_state.py",
    "tests/engine/test_agent_errors.py",
    "tests/engine/test_schedules.py",
    "tests/engine/test_backends_agree.py",
    "tests/engine/test_target_moves.py",
    "tests/engine/test_stop.py",
    "tests/engine/test_stand_in.py",
    "tests/engine/test_normalize_observations.py",
)
LOOP_IN_C = (
    "tests/engine/test_backends_agree.py",
    "tests/engine/test_agent_loop.py",
    "tests/engine/test_target_moves.py",
    "tests/engine/test_target_cache.py",
    "tests/engine/test_schedules.py",
    "tests/engine/test_agent_errors.py",
    "tests/engine/test_agent_state.py",
    "tests/engine/test_n_step.py",
    "tests/engine/test_prioritized.py",
    "tests/engine/test_stop.py",
    "tests/engine/test_population.py",
    "tests/engine/test_stand_in.py",
)
# Pattern of a file -> the tests that are to notice, the quickest first; the first pattern that fits counts.
TESTS = {
    "nasdqn_fast/controllers/*.py": ("tests/controllers", "tests/test_plugins.py"),
    "nasdqn_fast/transfers/*.py": ("tests/transfers", "tests/search/test_switch.py", "tests/test_plugins.py"),
    "nasdqn_fast/storage/*.py": (
        "tests/storage",
        "tests/run/test_checkpoints.py",
        "tests/run/test_resume_after_loss.py",
        "tests/engine/test_network_file.py",
        "tests/engine/test_object_file.py",
        "tests/run/test_disk_full.py",
    ),
    "nasdqn_fast/config/*.py": (
        "tests/config",
        "tests/cli/test_errors.py",
        "tests/cli/test_commands.py",
        "tests/run/test_api.py",
        "tests/run/test_every_setting_acts.py",
        "tests/engine/test_agent_settings.py",
    ),
    "nasdqn_fast/engine/agent_settings.py": ("tests/engine/test_agent_settings.py", "tests/engine/test_schedules.py"),
    "nasdqn_fast/engine/pruning.py": REPLAY_IN_PYTHON,
    "nasdqn_fast/engine/*.py": (*REPLAY_IN_PYTHON, *AGENT_IN_PYTHON),
    "nasdqn_fast/reference/replay.py": REPLAY_IN_PYTHON,
    "nasdqn_fast/reference/priorities.py": REPLAY_IN_PYTHON,
    "nasdqn_fast/reference/*.py": AGENT_IN_PYTHON,
    "nasdqn_fast/search/*.py": ("tests/search", "tests/run/test_resume.py"),
    "ext/kernels/target/peak.c": ("tests/engine/test_cpu.py",),
    "ext/kernels/env.c": ("tests/envs/test_core.py", "tests/envs/test_python.py"),
    "ext/kernels/target/*": (
        "tests/engine/test_kernels.py",
        "tests/engine/test_network.py",
        "tests/engine/test_optimizer.py",
        "tests/engine/test_bits.py",
        "tests/engine/test_update_bits.py",
    ),
    "ext/kernels/replay.c": (
        "tests/engine/test_replay.py",
        "tests/engine/test_n_step.py",
        "tests/engine/test_pruning.py",
        "tests/test_lowlevel.py",
    ),
    "ext/kernels/sum_tree.c": ("tests/engine/test_prioritized.py",),
    "ext/kernels/prioritized.c": ("tests/engine/test_prioritized.py",),
    "ext/kernels/ring.c": ("tests/interop/test_ring.py",),
    "ext/kernels/normalizer.c": (
        "tests/engine/test_normalizer.py",
        "tests/engine/test_normalize_observations.py",
    ),
    "ext/kernels/fit.c": ("tests/engine/test_fit.py",),
    "ext/kernels/vector_env.c": ("tests/interop/test_vector_env.py",),
    "ext/kernels/supernet.c": (
        "tests/engine/test_supernet.py",
        "tests/search/test_supernet.py",
    ),
    "ext/kernels/population.c": (
        "tests/engine/test_population.py",
        "tests/search/test_parallel.py",
    ),
    "ext/kernels/network.c": ("tests/engine/test_network.py", "tests/engine/test_sums.py", *LOOP_IN_C),
    "ext/kernels/*": LOOP_IN_C,
}
IN_C = ("ext/kernels/*.c", "ext/kernels/target/*.c")
IN_PYTHON = (
    *(f"nasdqn_fast/{folder}/*.py" for folder in ("controllers", "transfers", "storage", "config")),
    *(f"nasdqn_fast/reference/{name}.py" for name in ("replay", "priorities", "agent", "lane", "learner")),
    *(f"nasdqn_fast/engine/{name}.py" for name in ("agent_settings", "base_replay", "pruning", "loop_state")),
    "nasdqn_fast/search/online.py",
)
SWAPS = {
    "+": "-",
    "-": "+",
    "*": "+",
    "/": "*",
    "%": "/",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "&&": "||",
    "||": "&&",
    "&": "|",
    "|": "&",
    "+=": "-=",
    "-=": "+=",
    "*=": "+=",
    "<<": ">>",
    ">>": "<<",
    "++": "--",
}
# What is never changed: comments, strings, and directives with their continued lines.
_SKIPPED = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#(?:\\\n|[^\n])*', re.DOTALL | re.M
)
_TOKEN = re.compile(
    r"(?P<number>\b(?:0x[0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?)[fFuUlL]*)"
    r"|(?P<operator><<=|>>=|->|\+\+|--|[-+*/%&|<>=!]=|&&|\|\||<<|>>|[-+*/%<>&|])"
    r"|(?P<index>\[(?=[^\]]))"
    r"|(?P<word>\w+)"
)


class Mutant(NamedTuple):
    """One change of a source.

    Args:
        start, end: the place in the text.
        new: what stands there instead.
    """

    start: int
    end: int
    new: str

    def of(self, text: str) -> str:
        """The changed text."""
        return text[: self.start] + self.new + text[self.end :]


def mutants(text: str) -> Iterator[Mutant]:
    """Every change of one operator, constant or index of a C source."""
    code = _SKIPPED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)  # of the same length
    before = ""
    for token in _TOKEN.finditer(code):
        found = token[0]
        if token.lastgroup == "number":
            yield Mutant(*token.span(), _other_number(found))
        elif token.lastgroup == "index":
            end = _closing(code, token.start())
            if end is not None and re.search(r"\w|\)|\]", before[-1:]):
                yield Mutant(token.end(), end, f"({text[token.end() : end]}) + 1")
        elif found in SWAPS and not (found in "+-*&" and _is_unary(code[: token.start()])):
            yield Mutant(*token.span(), SWAPS[found])
        before = found


def _other_number(number: str) -> str:
    digits = number.rstrip("fFuUlL") if not number.startswith("0x") else number.rstrip("uUlL")
    suffix = number[len(digits) :]
    if re.fullmatch(r"\d+", digits):
        return f"{int(digits) + 1}{suffix}"
    if digits.startswith("0x"):
        return f"{int(digits, 16) + 1:#x}{suffix}"
    return f"{float(digits) * 1.5 + (float(digits) == 0)!r}{suffix}"


def _closing(code: str, start: int) -> int | None:
    depth = 0
    for place in range(start, len(code)):
        depth += (code[place] == "[") - (code[place] == "]")
        if depth == 0:
            return place
    return None


def _is_unary(before: str) -> bool:
    """Whether an operator after this text has one operand only, or belongs to the type of a declaration."""
    before = before.rstrip()
    if re.search(r"\b(?:return|float|double|char|int|void|const|restrict|\w+_t|ndq_\w+|vf|vi)$", before):
        return True
    return not re.search(r"[\w)\]]$", before)


def tests_of(path: str) -> Sequence[str]:
    """The tests that are to notice a change of this file."""
    return next(tests for pattern, tests in TESTS.items() if Path(path).match(pattern))


def draw(root: Path, patterns: Sequence[str], rng: random.Random) -> Iterator[tuple[str, Mutant]]:
    """Files and changes of them, each of all changes as likely; none twice."""
    paths = sorted({path for pattern in patterns for path in root.glob(pattern)})
    every: list[tuple[str, Callable[[], Mutant]]] = []
    for path in paths:
        text, name = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
        found = mutants_in_python(text, rng) if path.suffix == ".py" else map(_given, mutants(text))
        every += [(name, mutant) for mutant in found]
    rng.shuffle(every)
    for name, mutant in every:
        yield name, mutant()


def mutants_in_python(text: str, rng: random.Random) -> Iterator[Callable[[], Mutant]]:
    """Every place of a Python source that can be changed. A call makes the change, since all would take minutes."""
    import python_mutants  # beside this file; wants cosmic-ray

    for change in python_mutants.changes(text, rng):
        yield functools.partial(lambda one: Mutant(*one.difference(text)), change)


def _given(mutant: Mutant) -> Callable[[], Mutant]:
    return lambda: mutant


class Copy:
    """A copy of the tree, in which sources are changed, built and tested.

    Args:
        folder: where; empty.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        shutil.copytree(
            ROOT, self.root, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__", "site", ".*_cache")
        )
        self._environment = os.environ | {"PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}

    def write(self, path: str, text: str) -> None:
        """Replaces a source, so that it is newer than what was built of it."""
        (self.root / path).write_text(text, encoding="utf-8")

    def change(self, path: str, text: str) -> bool:
        """Replaces a source and compiles it; False if it does not compile."""
        self.write(path, text)
        if not path.endswith(".py"):
            return self.build()
        try:
            compile(text, path, "exec")
        except SyntaxError:
            return False
        return True

    def build(self) -> bool:
        """Compiles what is newer than its objects; False if it does not compile."""
        command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
        done = subprocess.run(command, cwd=self.root, env=self._environment, capture_output=True, check=False)
        return done.returncode == 0

    def failure(self, tests: Sequence[str], which: str = "not slow") -> str:
        """The first test that fails; empty if all pass."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-m", which, "-p", "no:cacheprovider", *tests]
        try:
            done = subprocess.run(
                command,
                cwd=self.root,
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"took over {LIMIT:.0f} s"
        if done.returncode == 0:
            return ""
        failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", done.stdout, re.MULTILINE)
        return failed[1] if failed else f"exit code {done.returncode}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws mutants, tests them and prints what became of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True, help="of the draws")
    parser.add_argument("--count", type=int, default=10, help="mutants that compile")
    parser.add_argument("--python", action="store_true", help="change Python sources, not C")
    parser.add_argument("--files", nargs="+", help="patterns, in the place of the usual ones")
    parser.add_argument("--skip", type=int, default=0, help="draws to leave out, of a session that is continued")
    given = parser.parse_args(arguments)
    files = given.files or (IN_PYTHON if given.python else IN_C)
    killed = count = 0
    sound: set[str] = set()  # tests that fail, and pass on the unchanged tree
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        if not copy.build():
            print("the unchanged tree does not compile")
            return 1
        for path, mutant in itertools.islice(draw(copy.root, files, random.Random(given.seed)), given.skip, None):
            if count == given.count:
                break
            tests, text = tests_of(path), (copy.root / path).read_text(encoding="utf-8")
            started, failure = time.monotonic(), ""
            if copy.change(path, mutant.of(text)):
                failure = copy.failure(tests)
                count, killed = count + 1, killed + bool(failure)
                line = text.count("\n", 0, mutant.start) + 1
                old = text[mutant.start : mutant.end]
                verdict = f"killed by {failure}" if failure else "SURVIVED"
                if not failure and path.endswith(".c"):
                    verdict += ", and tests/c notices" if copy.failure([GUARDED], "slow") else ", and tests/c does not"
                print(
                    f"{count}. {path}:{line}: {old!r} -> {mutant.new!r} in {text.splitlines()[line - 1].strip()!r}: "
                    f"{verdict} ({time.monotonic() - started:.0f} s)",
                    flush=True,
                )
            copy.write(path, text)
            if "::" in failure and failure not in sound:
                if not copy.build() or copy.failure([failure]):
                    print(f"the unchanged tree does not pass {failure}")
                    return 1
                sound.add(failure)
    print(f"{count} mutants of seed {given.seed}, {killed} killed, {count - killed} survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
