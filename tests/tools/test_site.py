"""The documentation site: its API pages hold every public name, and the check of its links finds what is wrong.

`.ci/run` builds the site itself, strictly.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import nasdqn_fast
from nasdqn_fast import lowlevel

ROOT = Path(__file__).parents[2]
API = ROOT / "docs" / "api"
FINE = {
    "index.html": '<h1 id="top">.</h1><a href="sub/page.html#place">.</a><a href="#top">.</a><img src="a.png">'
    '<a href="https://arxiv.org">.</a><link rel="canonical" href="https://example.org/">',
    "sub/page.html": '<p id="place">.</p><a href="..">.</a><script src="data:,1"></script>',
    "a.png": "",
}


def check(site, files):
    """The checker's exit code and lines on a site of these files."""
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
    command = [sys.executable, ROOT / "tools" / "site_links.py", site]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    ("page", "module", "names"),
    [
        ("index.md", "nasdqn_fast", set(nasdqn_fast.__all__) - {"__version__"}),
        ("lowlevel.md", "nasdqn_fast.lowlevel", lowlevel.__all__),
    ],
)
def test_every_public_name_has_an_entry(page, module, names):
    text = (API / page).read_text(encoding="utf-8")
    headings = set(re.findall(rf"(?:heading:|###) {re.escape(module)}\.(\w+)$", text, re.MULTILINE))
    assert headings >= set(names)


def test_a_site_whose_links_all_lead_somewhere_passes(tmp_path):
    assert check(tmp_path, FINE) == (0, ["all links lead somewhere, nothing is loaded from elsewhere"])


def test_a_folder_without_pages_is_no_site(tmp_path):
    assert check(tmp_path, {"a.png": ""}) == (1, [f"{tmp_path}: holds no page"])


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ('<a href="none.html">', "none.html: no such file"),
        ('<img src="none.png">', "none.png: no such file"),
        ('<a href="sub/page.html#nowhere">', "sub/page.html#nowhere: no such place in the page"),
        ('<a href="#nowhere">', "#nowhere: no such place in the page"),
        ('<script src="https://example.org/a.js">', "loads https://example.org/a.js"),
        ('<link rel="stylesheet" href="//example.org/a.css">', "loads //example.org/a.css"),
    ],
)
def test_each_fault_is_named(tmp_path, tag, fault):
    assert check(tmp_path, FINE | {"index.html": FINE["index.html"] + tag}) == (1, [f"index.html: {fault}"])
