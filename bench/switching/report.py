"""Tables in Markdown and the figure of what was measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nasdqn_fast.statistics.bootstrap import bootstrap
from nasdqn_fast.statistics.means import one_sample
from switching.records import Row, read
from switching.sources import CLASSES, SPACE

MARGIN = 5.0  # return that counts as no difference
SHOWN = ("fresh", "matching", "overlap", "net2net", "distill", "inject", "scratch")
COLUMNS_OF_MEANS = ("before", "agreed_before", "agreed_after", "dormant_before", "dormant_after")


def write(tables: Mapping[str, Path], figure: Path) -> None:
    """Prints the tables, and draws the figure where matplotlib is installed."""
    rows = {name: read(path) for name, path in tables.items()}
    for title, lines in (
        ("At once", at_once(rows["at_once"])),
        ("In the 200 episodes after", afterwards(rows["afterwards"])),
        ("Chains of nine", chains(rows["chains"])),
        ("Whole runs", runs(rows["runs"])),
    ):
        print(f"\n{title}\n", *lines, sep="\n")
    try:
        import matplotlib.figure
    except ModuleNotFoundError:
        print("no figure: pip install 'nasdqn-fast[report]' for matplotlib")
        return
    page = matplotlib.figure.Figure(figsize=(12, 10), layout="constrained")
    left, right = page.subplots(2, 2, width_ratios=(1.1, 1))
    _draw_pairs(left[0], rows["at_once"])
    _draw_afterwards(left[1], rows["afterwards"])
    _draw_chains(right[0], rows["chains"])
    _draw_runs(right[1], rows["runs"])
    page.savefig(figure, dpi=110)
    print(f"\n{figure}")


def at_once(rows: Sequence[Row]) -> list[str]:
    """Loss of greedy return, and of agreement with the optimal action, by task, stage and class."""
    groups = defaultdict(list)
    for row in rows:
        groups[row["task"], int(row["trained"]), row["change"]].append(row)
    lines = _table("task", "episodes before", "change", "switches", "source runs", "greedy return before")
    lines[0] += " difference, median | worst tenth | mean, 90 % | optimal actions before, after | dormant units |"
    lines[1] += "---|" * 5
    for (task, trained, name), group in sorted(groups.items(), key=lambda item: (*item[0][:2], _rank(item[0][2]))):
        by_source = defaultdict(list)
        for row in group:
            by_source[row["source"], row["seed"]].append(float(row["after"]) - float(row["before"]))
        lost = np.concatenate([*map(np.asarray, by_source.values())])
        low, high = one_sample(np.array([np.mean(values) for values in by_source.values()])).interval(0.9)
        mean = {key: np.mean([float(row[key]) for row in group]) for key in COLUMNS_OF_MEANS}
        lines.append(
            f"| {task} | {trained} | {name} | {len(group)} | {len(by_source)} | {mean['before']:.1f} "
            f"| {np.median(lost):+.2f} | {np.quantile(lost, 0.1):+.1f} | [{low:+.1f}, {high:+.1f}] "
            f"| {mean['agreed_before']:.1%}, {mean['agreed_after']:.1%} "
            f"| {mean['dormant_before']:.1%}, {mean['dormant_after']:.1%} |"
        )
    return lines


def afterwards(rows: Sequence[Row]) -> list[str]:
    """Differences of training returns from going on without a switch, with TOST, by task, transfer and class."""
    lines = _table("task", "change", "transfer", "switches", "at once, greedy, median", "50 episodes after, mean")
    lines[0] += " 200 episodes after, mean, 90 % | its worst tenth, 95 % | within 5: p | last 50 of the 200 |"
    lines[1] += "---|" * 5
    for (task, name, transfer), group in sorted(_differences(rows).items(), key=lambda item: _order(item[0])):
        soon, later, end, at_switch = (np.array(values) for values in zip(*group, strict=True))
        mean = one_sample(later)
        low, high = mean.interval(0.9)
        worst = bootstrap(lambda sample: np.quantile(sample, 0.1, axis=-1), later)
        lines.append(
            f"| {task} | {name} | `{transfer}` | {len(later)} | {np.median(at_switch):+.1f} | {soon.mean():+.1f} "
            f"| {mean.value:+.1f} [{low:+.1f}, {high:+.1f}] "
            f"| {np.quantile(later, 0.1):+.1f} [{worst[0]:+.1f}, {worst[1]:+.1f}] "
            f"| {mean.p_within(-MARGIN, MARGIN):.3f} | {end.mean():+.1f} |"
        )
    return lines


def chains(rows: Sequence[Row]) -> list[str]:
    """The end of chains, and its difference from no switch of the same source run."""
    unswitched = {(row["task"], row["between"], row["seed"]): row for row in rows if row["transfer"] == "none"}
    groups = defaultdict(list)
    for row in rows:
        if (row["task"], row["between"], row["seed"]) in unswitched:
            other = unswitched[row["task"], row["between"], row["seed"]]
            groups[row["task"], row["between"], row["transfer"]].append((row, other))
    lines = _table("task", "episodes between", "transfer", "chains", "last 100 episodes", "less no switch, 90 %")
    lines[0] += " greedy return at the end |"
    lines[1] += "---|"
    for (task, between, transfer), group in sorted(groups.items()):
        final = np.array([float(row["final"]) for row, _ in group])
        other = np.array([float(row["final"]) for _, row in group])
        mean = one_sample(final - other)
        low, high = mean.interval(0.9)
        greedy = np.mean([float(row["greedy"]) for row, _ in group])
        lines.append(
            f"| {task} | {between} | `{transfer}` | {len(group)} | {final.mean():.1f} "
            f"| {mean.value:+.1f} [{low:+.1f}, {high:+.1f}] | {greedy:.1f} |"
        )
    return lines


def runs(rows: Sequence[Row]) -> list[str]:
    """Means over seeds of whole runs."""
    groups = defaultdict(list)
    for row in rows:
        key = (row["setting"], row["episodes"], row["widths"], row["method"], row["transfer"], row["keep"])
        groups[key].append(row)
    lines = _table("setting", "episodes", "widths", "method", "transfer", "memory kept", "runs", "last 100 episodes")
    lines[0] += " mean over the run | time at switches |"
    lines[1] += "---|" * 3
    for key, group in sorted(groups.items()):
        final, mean, share = (
            np.mean([float(row[name]) for row in group]) for name in ("final", "mean", "search_share")
        )
        lines.append(f"| {' | '.join(key)} | {len(group)} | {final:.1f} | {mean:.1f} | {share:.1%} |")
    return lines


def _table(*heads: str) -> list[str]:
    return [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]


def _rank(change: str) -> int:
    return CLASSES.index(change) if change in CLASSES else -1


def _order(key: tuple[str, str, str]) -> tuple[str, int, str]:
    return key[0], _rank(key[1]), key[2]


def _differences(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[tuple[float, float, float, float]]]:
    """(task, class, transfer): differences from no switch of the same source run: soon, later, at the end, at once."""
    unswitched = {(row["task"], row["source"], row["seed"]): row for row in rows if row["transfer"] == "none"}
    found = defaultdict(list)
    for row in rows:
        other = unswitched.get((row["task"], row["source"], row["seed"]))
        if row["transfer"] == "none" or other is None:
            continue
        values = [float(row[name]) - float(other[name]) for name in ("soon", "later", "end")]
        change = row["change"] or "none"
        found[row["task"], change, row["transfer"]].append((*values, float(row["after"]) - float(row["before"])))
    return found


def _draw_pairs(axes, rows: Sequence[Row]) -> None:  # type: ignore[no-untyped-def]
    """A heat map of the mean difference at once; all of one task at its latest stage."""
    rows = [row for row in rows if row["task"] == "upright"]
    if not rows:
        axes.set_visible(False)
        return
    last = max(int(row["trained"]) for row in rows)
    order = sorted(SPACE, key=lambda a: (a.activation, a.depth, a.widths[0]))
    index = {str(architecture): i for i, architecture in enumerate(order)}
    values = defaultdict(list)
    for row in rows:
        if int(row["trained"]) == last:
            values[index[row["source"]], index[row["target"]]].append(float(row["after"]) - float(row["before"]))
    grid = np.full((len(order), len(order)), np.nan)
    for (i, j), lost in values.items():
        grid[i, j] = np.mean(lost)
    image = axes.imshow(grid, cmap="RdBu", vmin=-10, vmax=10)
    names = [str(architecture) for architecture in order]
    axes.set_xticks(range(len(order)), names, rotation=90, fontsize=5)
    axes.set_yticks(range(len(order)), names, fontsize=5)
    axes.set(xlabel="to", ylabel="from", title=f"`distill`, greedy return at the switch, after {last} episodes")
    axes.figure.colorbar(image, ax=axes, label="after less before", extend="both")


def _draw_afterwards(axes, rows: Sequence[Row]) -> None:  # type: ignore[no-untyped-def]
    differences = {key[1:]: group for key, group in _differences(rows).items() if key[0] == "upright"}
    measured = {transfer for _, transfer in differences}
    names = [name for name in SHOWN if name in measured]
    for k, name in enumerate(names):
        for x, change in enumerate(CLASSES):
            later = [values[1] for values in differences.get((change, name), [])]
            at = x + (k - (len(names) - 1) / 2) * 0.13
            axes.plot([at] * len(later), later, ".", color=f"C{k}", alpha=0.4, markersize=4)
            if later:
                axes.plot([at], [np.mean(later)], "_", color=f"C{k}", markersize=11, label=name if x == 0 else None)
    axes.axhline(0, color="grey", linewidth=0.5)
    axes.set_xticks(range(len(CLASSES)), CLASSES)
    axes.set(ylabel="difference from no switch", title="training return in the 200 episodes after a switch")
    axes.grid(axis="y", alpha=0.3)
    if names:
        axes.legend(loc="lower left", fontsize="x-small", ncols=2)


def _draw_chains(axes, rows: Sequence[Row]) -> None:  # type: ignore[no-untyped-def]
    rows = [row for row in rows if row["task"] == "upright"]
    for transfer in dict.fromkeys(row["transfer"] for row in rows):
        curves = np.array([list(map(float, row["curve"].split())) for row in rows if row["transfer"] == transfer])
        label = "no switch" if transfer == "none" else transfer
        axes.plot(np.arange(1, curves.shape[1] + 1), curves.mean(axis=0), "o-", markersize=3, label=label)
    axes.set(xlabel="switch", ylabel="training return until the next", title="chains of nine switches")
    axes.grid(alpha=0.3)
    if rows:
        axes.legend(fontsize="x-small")


def _draw_runs(axes, rows: Sequence[Row]) -> None:  # type: ignore[no-untyped-def]
    rows = [row for row in rows if row["setting"] == "upright"]
    for method, transfer in dict.fromkeys((row["method"], row["transfer"]) for row in rows):
        curves = [
            list(map(float, row["curve"].split()))
            for row in rows
            if (row["method"], row["transfer"]) == (method, transfer)
        ]
        length = max(map(len, curves))
        curves = [curve for curve in curves if len(curve) == length]
        label = f"{method} 3x64-relu" if method == "fixed" else f"{method}, {transfer}"
        at = (np.arange(length) + 0.5) / length
        axes.plot(at, np.mean(curves, axis=0), label=f"{label} (n = {len(curves)})", linewidth=1.2)
    axes.set(xlabel="share of the episodes", ylabel="return", title="whole runs, Adam")
    axes.grid(alpha=0.3)
    if rows:
        axes.legend(loc="lower right", fontsize="x-small")
