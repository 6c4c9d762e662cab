"""Changes of Python sources for tools/mutants.py, by the operators of cosmic-ray (`pip install cosmic-ray`).

python tools/mutants.py --python --seed 1 --count 20
"""

from __future__ import annotations

import ast
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import cosmic_ray.ast
import cosmic_ray.mutating
import cosmic_ray.plugins

PART = r"[\w.<>=!]"  # of a word or an operator
# Without the two that replace a variable, whose name they want to be told.
OPERATORS = {
    name: cosmic_ray.plugins.get_operator(name)()
    for name in cosmic_ray.plugins.operator_names()
    if not cosmic_ray.plugins.get_operator(name).arguments()
}


class Change(NamedTuple):
    """What an operator would change.

    Args:
        name: of the operator, in `OPERATORS`.
        occurrence: of the places in the text where it can change something, which.
    """

    name: str
    occurrence: int

    def of(self, text: str) -> str:
        """The changed text."""
        return cosmic_ray.mutating.mutate_code(text, OPERATORS[self.name], self.occurrence) or text

    def difference(self, text: str) -> tuple[int, int, str]:
        """Start and end of what is changed, whole words and operators, and what stands there instead."""
        changed, start, tail = self.of(text), 0, 0
        least = min(len(text), len(changed))
        while start < least and text[start] == changed[start]:
            start += 1
        while tail < least - start and text[-tail - 1] == changed[-tail - 1]:
            tail += 1
        while start and re.match(PART, text[start - 1]):
            start -= 1
        while tail and re.match(PART, text[len(text) - tail]):
            tail -= 1
        return start, len(text) - tail, changed[start : len(changed) - tail]


def changes(text: str, rng: random.Random) -> Iterator[Change]:
    """A change of each place at which there is one, of several one at random; none of an annotation."""
    nodes = [*cosmic_ray.ast.ast_nodes(cosmic_ray.ast.get_ast(text))]
    annotated, places = annotations(text), defaultdict(list)
    for name, operator in OPERATORS.items():
        found = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(found):
            if not any(begin <= start < end for begin, end in annotated):
                places[start].append(Change(name, occurrence))
    for start in sorted(places):
        yield rng.choice(places[start])


def annotations(text: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """From where to where (line, column) the types of arguments, results and variables stand; they do nothing."""
    found = []
    for node in ast.walk(ast.parse(text)):
        for one in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if one is not None:
                found.append(((one.lineno, one.col_offset), (one.end_lineno, one.end_col_offset)))
    return found
