"""The page in a real browser: Chromium, headless."""

import json
import re
import shutil
import subprocess

import pytest

for library in ("matplotlib", "scipy"):
    pytest.importorskip(library, reason=f"{library} is not installed: pip install 'nasdqn-fast[report]'")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--hide-scrollbars",
)
# What the page itself cannot say, since it holds no script.
PROBE = """<script>addEventListener("load", () => document.body.setAttribute("data-found", JSON.stringify({
  images: [...document.images].map(image => image.complete && image.naturalWidth),
  shown: [...document.images].map(image => image.getBoundingClientRect().width),
  right: Math.max(...[...document.querySelectorAll("h1, h2, p, figure, .scroll")].map(
    element => element.getBoundingClientRect().right)),
  smallest: Math.min(...[...document.querySelectorAll("p, td, figcaption, code")].map(
    element => parseFloat(getComputedStyle(element).fontSize))),
  fetched: performance.getEntriesByType("resource").map(entry => entry.name).filter(name => !name.startsWith("data:")),
  width: innerWidth})))</script></body>"""


def browse(text, folder, width):
    """What the probe found in a page, and what the browser wrote to its console."""
    probed = folder / "probed.html"
    probed.write_text(text.replace("</body>", PROBE), encoding="utf-8")
    own = [f"--user-data-dir={folder / 'profile'}", f"--window-size={width},2000", "--dump-dom", probed.as_uri()]
    finished = subprocess.run([CHROMIUM, *OPTIONS, *own], capture_output=True, text=True, timeout=300, check=True)
    found = re.search(r'data-found="([^"]*)"', finished.stdout)
    assert found, finished.stderr
    console = [line for line in finished.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(found[1].replace("&quot;", '"')), console


@pytest.mark.parametrize("width", [400, 1400])
def test_every_figure_is_drawn_and_nothing_is_fetched(studied, tmp_path, width):
    found, console = browse(studied[1], tmp_path, width)
    assert len(found["images"]) == studied[1].count("<img ") >= 12
    assert all(pixels >= 1_000 for pixels in found["images"])
    assert console == []
    assert found["fetched"] == []
    # Readable: nothing beyond the window but what scrolls by itself, no small print, figures as wide as there is room.
    assert found["right"] <= found["width"]
    assert found["smallest"] >= 12
    assert min(found["shown"]) >= 0.85 * min(width, 720)


def test_the_probe_sees_a_request_an_error_and_a_broken_image(studied, tmp_path):
    broken = '<img src="http://nowhere.invalid/a.png"><script>console.error("trouble")</script></body>'
    found, console = browse(studied[1].replace("</body>", broken), tmp_path, 1400)
    assert found["fetched"] == ["http://nowhere.invalid/a.png"]
    assert found["images"][-1] == 0
    assert any("trouble" in line for line in console)
