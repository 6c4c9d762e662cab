"""Where the searches went: the map of architectures, and one run from beginning to end."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from nasdqn_fast.report.data import TaskData, rolling, thinned
from nasdqn_fast.report.figure import Drawn, Kind
from nasdqn_fast.report.style import BLACK, OTHERS, looks, references, sheet, short, wrapped
from nasdqn_fast.space import parse_setup
from nasdqn_fast.study.outcomes import Group

MOST = 4  # searches in one figure
ROWS = 40  # architectures in one map


def _split(name: str) -> tuple[str, str]:
    """Layers and activation of an architecture's text; of a setup's, how it is trained goes with the activation."""
    architecture, plus, training = name.partition("+")
    layers, _, activation = architecture.rpartition("-")
    return layers, activation + plus + training


def _size(name: str) -> tuple[int, int]:
    widths = parse_setup(name).widths
    return len(widths), sum(widths)


def _visits(group: Group) -> tuple[Counter[str], dict[str, list[float]]]:
    """Episodes, and scores, of each architecture."""
    episodes: Counter[str] = Counter()
    scores: dict[str, list[float]] = {}
    for outcome in group.outcomes:
        for part in outcome.segments:
            episodes[part.architecture] += part.last - part.first + 1
            if part.score == part.score:
                scores.setdefault(part.architecture, []).append(part.score)
    return episodes, scores


def _map(data: TaskData) -> Drawn | str:
    searches = dict(list(data.searches.items())[:MOST])
    if not searches:
        return "no method changes its architecture"
    visits = {label: _visits(group) for label, group in searches.items()}
    names = sorted({name for episodes, _ in visits.values() for name in episodes}, key=lambda name: (_size(name), name))
    layers = list(dict.fromkeys(_split(name)[0] for name in names))[:ROWS]
    activations = sorted({_split(name)[1] for name in names})
    columns = min(2, len(searches))
    rows = -(-len(searches) // columns)
    figure, grid = sheet(rows * (1.5 + 0.42 * len(layers)), rows, columns, sharey=True)
    shares = {label: _table(episodes, layers, activations) for label, (episodes, _) in visits.items()}
    top = max(float(np.nanmax(table)) for table in shares.values())
    image = None
    for axes, (label, table) in zip(grid.flat, shares.items(), strict=False):
        image = axes.imshow(table, cmap="cividis", vmin=0, vmax=top, aspect="auto")
        for row, layer in enumerate(layers):
            for column, activation in enumerate(activations):
                _cell(axes, row, column, table[row, column], visits[label][1].get(f"{layer}-{activation}", []), top)
        axes.set_title(f"{wrapped(label, 28)}\nn = {len(searches[label])}", fontsize=11)
        ticks = [name.replace("+", "\n") for name in activations]
        axes.set_xticks(range(len(activations)), ticks, fontsize=11 if len(activations) < 4 else 8)
        axes.set_xlabel("activation")
        axes.grid(False)
    for axes in grid.flat[len(searches) :]:
        axes.set_axis_off()
    for row in grid:
        row[0].set_yticks(range(len(layers)), layers)
        row[0].set_ylabel("hidden layers x units")
    figure.colorbar(image, ax=grid, label="share of episodes (%)", shrink=0.8, pad=0.02)
    return Drawn(figure, ("task", "label", "architecture", "episodes", "share", "segments", "mean_score"), _rows(data))


def _cell(axes: Any, row: int, column: int, share: float, scores: list[float], top: float) -> None:
    if share == share and share > 0:
        text = f"{share:.1f} %" + (f"\n{np.mean(scores):.0f}" if scores else "")
        axes.text(
            column, row, text, ha="center", va="center", color=BLACK if share > 0.55 * top else "white", fontsize=9
        )


def _table(episodes: Counter[str], layers: list[str], activations: list[str]) -> np.ndarray:
    """Percent of the episodes, (layers, activations)."""
    total = episodes.total()
    return np.array([[100 * episodes[f"{one}-{other}"] / total for other in activations] for one in layers])


def _rows(data: TaskData) -> Iterator[tuple[Any, ...]]:
    for label, group in data.searches.items():
        episodes, scores = _visits(group)
        for name in sorted(episodes, key=lambda name: (_size(name), name)):
            found = scores.get(name, [])
            share = episodes[name] / episodes.total()
            mean = float(np.mean(found)) if found else float("nan")
            yield data.task, label, name, episodes[name], share, len(found), mean


def _timeline(data: TaskData) -> Drawn | str:
    searches = dict(list(data.searches.items())[:MOST])
    if not searches:
        return "no method changes its architecture"
    figure, grid = sheet(3.3 * len(searches), 2 * len(searches), 1, sharex=True, height_ratios=[3, 1.4] * len(searches))
    rows: list[tuple[Any, ...]] = []
    styles, window = looks(data.groups), data.window
    for k, (label, group) in enumerate(searches.items()):
        above, below = grid[2 * k][0], grid[2 * k + 1][0]
        finals = group.column("final_mean")
        at = int(np.argsort(finals)[(len(finals) - 1) // 2])  # the run in the middle, not the best
        outcome, returns = group.outcomes[at], data.returns[label][at : at + 1]
        mean = rolling(returns, window)[0]
        points = thinned(len(mean), 1_500)
        above.plot(points + window, mean[points], color=styles[label].colour)
        references(above, optimum=data.optimum, threshold=data.threshold)
        title = f"{short(label)}, seed {outcome.seed}: the run in the middle of {len(group)}"
        above.set_title("\n".join(textwrap.wrap(title, 64)), loc="left", fontsize=11)
        above.set_ylabel(f"return,\nmean of {window}")
        _bars(below, outcome.segments)
        for part in outcome.segments[1:]:
            above.axvline(part.first - 0.5, color="0.6", linewidth=0.8, linestyle=":")
        for part in outcome.segments:
            rows.append((data.task, label, outcome.seed, part.first, part.last, *part[:2], part.score))
    grid[-1][0].set_xlabel("episode")
    grid[0][0].legend(loc="lower right", framealpha=0.9)
    return Drawn(figure, ("task", "label", "seed", "first", "last", "architecture", "reason", "score"), rows)


def _bars(axes: Any, segments: Any) -> None:
    """A bar a segment; its height is the size of the layers, its text the architecture."""
    sizes = [parse_setup(part.architecture) for part in segments]
    activations = sorted({size.activation for size in sizes})
    top = max(sum(size.widths) for size in sizes)
    few = len(segments) <= 14
    for part, size in zip(segments, sizes, strict=True):
        colour = OTHERS[activations.index(size.activation) * 2 % len(OTHERS)]
        width = part.last - part.first + 1
        height = sum(size.widths)
        axes.bar(
            part.first - 0.5, height, width, align="edge", color=colour, alpha=0.45, edgecolor=BLACK, linewidth=0.5
        )
        if few:
            name = f"{_split(part.architecture)[0]}\n{size.activation.removesuffix('_relu')}"
            axes.text(part.first - 0.5 + width / 2, top * 1.08, name, ha="center", va="bottom", fontsize=8.5)
    axes.set_ylabel("hidden\nunits")
    axes.set_ylim(0, top * (1.95 if few else 1.05))
    axes.grid(False)


MAP = Kind(
    "search-map",
    "Where each search spent its episodes (figure 6)",
    "Share of all episodes of all runs in each architecture; below it the mean of the scores that the controller was "
    "told.",
    _map,
)
TIMELINE = Kind(
    "timeline",
    "Architectures under the return curve",
    "One run of each search, the one whose final performance is the middle one; dotted lines are switches.",
    _timeline,
)
