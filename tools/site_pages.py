"""Pages of the documentation site that are files elsewhere in the tree: a hook of mkdocs.yml.

README.md becomes the first page, CONTRIBUTING.md and CHANGELOG.md pages too, and the scripts that docs link to are
copied beside them. The links in all of them are those that work in the checkout; here they are turned to the site.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
_PAGE = re.compile(r"\bdocs/([a-z_]+)\.md\b")  # as docstrings name a page
_FILE = re.compile(r"\[([^]]+)\]\((?:CITATION\.cff|LICENSE)\)")  # files that are no pages
_SCRIPT = re.compile(r"\]\((?:\.\./)?(examples/[\w/]+\.py)\)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages and scripts from outside of docs/."""
    for page, source in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for script in sorted((ROOT / "examples").rglob("*.py")):
        files.append(File.generated(config, script.relative_to(ROOT).as_posix(), abs_src_path=str(script)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns links between the places of the checkout to the site's."""
    if page.file.src_uri in PAGES:
        markdown = markdown.replace("](docs/", "](")
        for other, source in PAGES.items():
            markdown = markdown.replace(f"]({source}", f"]({other}")
    return _SCRIPT.sub(r"](\1)", _FILE.sub(r"`\1`", markdown))


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Links the pages that docstrings name."""
    if not page.file.src_uri.startswith("api/"):
        return html
    return _PAGE.sub(r'<a href="../\1.html">\1.md</a>', html)
