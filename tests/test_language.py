"""Words that the project has given up stay away: phrases in any text of the tree, and identifiers in its code."""

import functools
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PHRASES = (
    "the mend",
    "takes back what",
    "is none, or",
    "what came",
    "goes on with",
    "costs nobody",
    "to the bits that it would have",
    "as the twin has it",
    "somebody's",
    "whoever made",
    "heeds",
)
IDENTIFIERS = {
    "mend",
    "came",
    "impatient",
    "hand_on",
    "doom",
    "fate",
    "spoil",
    "distrust_known",
    "_Course",
    "_told",
    "_then",
    "lacking_memory",
    "in_plain_words",
}
FOLDERS = ("nasdqn_fast", "ext", "tests", "tools", "examples", "bench", "docs", ".ci")
CODE = ("*.py", "*.pyx", "*.pxd", "*.pyi", "*.c", "*.h", "*.cpp")
OTHERS = ("*.md", "*.html", "*.toml", "*.yml", "*.css", "run", "sanitize")
COMMENT_OR_STRING = re.compile(
    r'/\*.*?\*/|//[^\n]*|#[^\n]*|""".*?"""|"(?:\\.|[^"\\\n])*"|' r"'(?:\\.|[^'\\\n])*'", re.DOTALL
)


@functools.cache
def texts(*patterns):
    """Path from the root -> text of the files of the tree; not of what Cython makes of a .pyx, nor of this file."""
    paths = [path for folder in FOLDERS for pattern in patterns for path in (ROOT / folder).rglob(pattern)]
    paths += [path for pattern in patterns for path in ROOT.glob(pattern)]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
        if path.is_file() and path != Path(__file__) and not (path.suffix == ".c" and path.with_suffix(".pyx").exists())
    }


def phrases_in(text):
    """Those given up that a text holds, wherever its lines break and comments begin."""
    words = " ".join(re.sub(r"^\s*(?:#|\*|//)+", " ", text, flags=re.MULTILINE).split()).lower()
    return [phrase for phrase in PHRASES if re.search(rf"\b{phrase}\b", words)]


def identifiers_in(path, text):
    """The names of a source, without its comments and strings."""
    if path.endswith(".py"):
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        return {token.string for token in tokens if token.type == tokenize.NAME}
    return set(re.findall(r"[A-Za-z_]\w*", COMMENT_OR_STRING.sub(" ", text)))


def test_no_text_holds_a_phrase_that_was_given_up():
    found = {path: phrases_in(text) for path, text in texts(*CODE, *OTHERS).items()}
    assert len(found) > 500
    assert {path: phrases for path, phrases in found.items() if phrases} == {}


def test_no_code_has_an_identifier_that_was_given_up():
    found = {path: identifiers_in(path, text) for path, text in texts(*CODE).items()}
    assert {path: names & IDENTIFIERS for path, names in found.items() if names & IDENTIFIERS} == {}
    # Words like others, but in these places.
    assert not re.search(r"\bdef know\(|\bknow\(", "\n".join(texts(*CODE).values()))
    assert "claim" not in found["ext/kernels/loop.c"]


@pytest.mark.parametrize("text", ["it goes on with it", "# a run that goes on\n# with it", "/* goes on\n * with it */"])
def test_a_phrase_is_seen_across_lines(text):
    assert phrases_in(text) == ["goes on with"]


def test_comments_and_strings_are_not_code():
    assert identifiers_in("a.c", "/* came */ int x = f(\"came\", 'a'); // came") == {"int", "x", "f"}
    assert identifiers_in("a.pyx", '"""came"""\ncdef int x  # came') == {"cdef", "int", "x"}
    assert identifiers_in("a.py", '"""came"""\nx = "came"  # came') == {"x"}
