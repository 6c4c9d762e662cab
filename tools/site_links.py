"""Checks a built documentation site: every link leads somewhere, and nothing is loaded from elsewhere.

    python tools/site_links.py build/site

Pages of other sites may be linked, not loaded: no font, script, image or frame comes over the network. Exits with 1
and a line for each fault.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
_NOT_LOADED = {"canonical", "prev", "next", "alternate"}  # of <link rel=...>


class Page(HTMLParser):
    """The anchors of a page, what it links and what it loads.

    Attributes:
        anchors: ids and names that a link can lead to.
        links: targets, as written.
        loaded: what a browser fetches to show the page, as written.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Is called by the parser at each tag."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in _LOADED and _LOADED[tag] in given and given.get("rel") not in _NOT_LOADED:
            self.loaded.append(given[_LOADED[tag]])


def faults(site: Path) -> Iterator[str]:
    """A line for each link of the site that leads nowhere, and for each file that is loaded from elsewhere."""
    site = site.resolve()
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    if not pages:
        yield f"{site}: holds no page"
    for path, page in pages.items():
        here = path.relative_to(site)
        if here.name == "404.html":  # its links are those of a server's root
            continue
        for link in page.loaded:
            if urlsplit(link).scheme not in ("", "data") or link.startswith("//"):
                yield f"{here}: loads {link}"
        for link in [*page.links, *page.loaded]:
            to = urlsplit(link)
            if to.scheme or to.netloc:
                continue
            target = (path.parent / unquote(to.path)).resolve() if to.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{here}: {link}: no such file"
            elif to.fragment and target in pages and unquote(to.fragment) not in pages[target].anchors:
                yield f"{here}: {link}: no such place in the page"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(faults(Path(sys.argv[1])))
    print("\n".join(found) or "all links lead somewhere, nothing is loaded from elsewhere")
    sys.exit(bool(found))
