"""The report of a study: figures, tables, verdicts, and the page that holds them."""

from __future__ import annotations

import contextlib
import itertools
import shlex
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from string import Template

from nasdqn_fast.errors import InputError, UnknownName
from nasdqn_fast.report import html, paper, tables, verdicts
from nasdqn_fast.report.data import EPISODES_CSV, TRIALS_CSV, TaskData, read_returns, write_trials
from nasdqn_fast.report.figure import Kind, save
from nasdqn_fast.report.figures import KINDS, OF_PAPER, OURS
from nasdqn_fast.report.style import styled
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.study import claims
from nasdqn_fast.study.outcomes import Outcomes, read_outcomes
from nasdqn_fast.study.plan import folder_name
from nasdqn_fast.study.study import Study

PAGE, FIGURES = "report.html", "figures"
NEEDED = ("matplotlib", "scipy")

Show = Callable[[str], object]


def report(
    folder: str | Path,
    *,
    figures: Sequence[str] = (),
    beside: Sequence[str | Path] = (),
    show: Show | None = None,
) -> Path:
    """Writes ``report.html``, ``figures/``, ``trials.csv`` and ``episodes.csv`` into a study's folder.

    Args:
        folder: of the study, finished or not.
        figures: names of the figures to draw anew, without the page and the tables; none: all of them.
        beside: folders of other studies, as of other profiles, whose search overhead is shown below claim C5.
        show: called with a line about each thing done.

    Returns:
        the page, or the folder of figures.

    Raises:
        InputError: it is no study, a run in it is damaged, no trial has ended, a figure is unknown, or a library of the
            extra ``[report]`` is not installed.
    """
    check_installed()
    for name in figures:
        if name not in KINDS:
            raise UnknownName("figure", name, KINDS)
    study, show = Study.open(folder), show or (lambda line: None)
    others = [(other.plan.profile, read_outcomes(other)) for other in map(Study.open, beside)]
    outcomes = read_outcomes(study)
    show(f"{outcomes.ended} of {outcomes.planned} trials have ended")
    if not outcomes.ended:
        raise InputError(f"no trial of the study in {str(study.folder)!r} has ended; nasdqn-fast experiment runs them")
    with _writing(study.folder):
        (study.folder / FIGURES).mkdir(exist_ok=True)
        data = read_returns(study.folder, outcomes)
        write_trials(study.folder, outcomes)
        show(f"{TRIALS_CSV}, {EPISODES_CSV}")
        several = len(data) > 1
        drawn = {task: "\n".join(_figures(study, one, figures, several, show)) for task, one in data.items()}
        if figures:
            return study.folder / FIGURES
        with replacing(study.folder / PAGE) as file:
            file.write(_page(study, outcomes, data, drawn, others).encode())
    return study.folder / PAGE


def check_installed() -> None:
    """Refuse where a library is missing.

    Raises:
        InputError: naming the libraries and the extra that has them.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise InputError(f"a report needs {', '.join(missing)}: pip install 'nasdqn-fast[report]'")


def _figures(study: Study, data: TaskData, wanted: Sequence[str], several: bool, show: Show) -> Iterator[str]:
    """Draws and saves the figures of a task; gives their part of the page."""
    for title, kinds in (("The paper's figures", OF_PAPER), ("Beyond the paper", OURS)):
        yield html.heading(3, title)
        for kind in kinds:
            if not wanted or kind.name in wanted:
                yield _figure(study, kind, data, f"{folder_name(data.task)}-" if several else "")
                show(f"{data.task}: {kind.name}")


def _figure(study: Study, kind: Kind, data: TaskData, prefix: str) -> str:
    with styled():
        drawn = kind.draw(data)
        if isinstance(drawn, str):
            return html.paragraph(f"{kind.title}: left out, since {drawn}.", "soft")
        image = save(drawn, study.folder / FIGURES, prefix + kind.name)
    command = f"nasdqn-fast report {shlex.quote(str(study.folder))} --figure {kind.name}"
    files = [f"{FIGURES}/{prefix}{kind.name}.{ending}" for ending in ("csv", "svg", "png")]
    return html.heading(4, kind.title) + html.figure(image, kind.title, kind.caption, command, files)


def _page(
    study: Study,
    outcomes: Outcomes,
    data: dict[str, TaskData],
    drawn: dict[str, str],
    others: Sequence[tuple[str, Outcomes]],
) -> str:
    judged = claims.verdicts(study.plan, outcomes)
    by_task = {task: list(these) for task, these in itertools.groupby(judged, lambda verdict: verdict.task)}
    parts = [html.paragraph(_about(study, outcomes), "soft")]
    for task, these in by_task.items():
        parts += [html.heading(2, f"{task}: verdicts on the paper's claims"), verdicts.summary(these)]
    parts.append(html.paragraph(verdicts.RULE, "soft"))
    for task, one in data.items():
        parts.append(html.heading(2, f"{task}: the paper's four metrics"))
        parts += [tables.four_metrics(one), html.heading(3, "Beyond the paper's metrics"), tables.beyond(one)]
        if spread := tables.spread(one):
            parts += [html.heading(3, "Is there something to search for?"), spread]
        parts += [html.heading(2, f"{task}: figures"), drawn[task]]
        parts.append(html.heading(2, f"{task}: the claims in detail"))
        profiles = ((study.plan.profile, outcomes), *others)
        shares = verdicts.search_shares((profile, group) for profile, found in profiles for group in found.of(task))
        parts.append(verdicts.details(by_task.get(task, []), shares))
    parts += [html.heading(2, "Where the paper contradicts itself"), paper.contradictions()]
    parts += [html.heading(2, "What the paper leaves open, and the values used"), paper.left_open(study.plan)]
    parts += [html.heading(2, "Data"), _data(study)]
    template = Template(resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    title = f"{', '.join(study.plan.tasks)}: {', '.join(study.plan.methods)}"
    return template.substitute(title=html.escape(title), body="\n".join(parts))


def _about(study: Study, outcomes: Outcomes) -> str:
    plan = study.plan
    seeds = ", ".join(f"{method} {count}" for method, count in plan.seeds.items())
    looks = f" The number of seeds was decided {len(plan.looks)} times." if len(plan.looks) > 1 else ""
    others = "".join(f"; {count} {status}" for status, count in outcomes.statuses.items())
    return (
        f"{outcomes.ended} of {outcomes.planned} trials have ended{others}. {plan.episodes:,} episodes each, profile "
        f"{plan.profile}, seeds from {plan.first_seed}: {seeds}.{looks}"
    )


def _data(study: Study) -> str:
    files = ((TRIALS_CSV, "a row a trial"), (EPISODES_CSV, "a row an episode of every trial"))
    rows = "".join(f'<li><a href="{name}">{name}</a>: {what}</li>' for name, what in files)
    command = html.code(f"nasdqn-fast report {shlex.quote(str(study.folder))}")
    return f"<ul>{rows}</ul><p>This page: {command}</p>"


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {error.filename or str(folder)!r}: {error.strerror or error}") from None
