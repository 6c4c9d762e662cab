"""The claims and their verdicts as HTML."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nasdqn_fast.report.html import escape, paragraph, table
from nasdqn_fast.report.numbers import p_value, percent, significant
from nasdqn_fast.study.claims import Verdict
from nasdqn_fast.study.contrasts import ALPHA, MARGIN, Judged
from nasdqn_fast.study.outcomes import Group

RULE = (
    "The rule is in the program, and was fixed before any study was run. Supported: for every comparison of a claim, "
    "the interval, adjusted over these (Holm), lies wholly on the claim's side. Contradicted: for one of them it lies "
    f"wholly on the other side, or two one-sided tests show a difference of means within ±{MARGIN:g} return. Else "
    "undecided. Means are compared seed by seed where both methods have the seeds (Student's t), else by Welch's t. An "
    "unfinished study gets no verdicts; if seeds were added after a look, verdicts are exploratory."
)
ALONE = 1e-4  # a share of wall time: what asking a fixed agent takes is no search
HEADER = ("comparison", "claimed", "effect", "interval", "p (Holm)", "p (TOST)", "p (ranks)", "n", "says")


def summary(verdicts: Iterable[Verdict]) -> str:
    """One line a claim: what is claimed, the verdict, and the comparison that decides it."""
    rows = []
    for verdict in verdicts:
        name = f"{verdict.claim.name}{verdict.variant}"
        detail = _decisive(verdict) if verdict.contrasts else verdict.reason
        rows.append(
            f"<tr><td><strong>{escape(name)}</strong></td><td>{escape(verdict.claim.text)}</td>"
            f"<td>{_badge(verdict)}</td><td>{escape(detail)}</td></tr>"
        )
    head = "".join(f"<th>{cell}</th>" for cell in ("", "the paper says", "verdict", "because"))
    body = "\n".join(rows)
    table = f'<table class="verdicts"><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>'
    return f'<div class="scroll">{table}</div>'


def details(verdicts: Iterable[Verdict], shares: str) -> str:
    """All comparisons of each claim.

    Args:
        verdicts: of one task.
        shares: HTML shown below C5.
    """
    parts = []
    for verdict in verdicts:
        claim = verdict.claim
        parts.append('<div class="claim">')
        parts.append(
            f"<p><strong>{escape(claim.name + verdict.variant)}</strong> {escape(claim.text)} {_badge(verdict)}</p>"
        )
        parts.append(paragraph(f"Paper: {claim.where}. Compared: {claim.rule}.", "soft"))
        if verdict.reason:
            parts.append(paragraph(f"{verdict.reason}.", "soft"))
        if verdict.contrasts:
            parts.append(table(HEADER, map(_row, verdict.contrasts)))
        if claim.name == "C5":
            parts.append(shares)
        parts.append("</div>")
    return "\n".join(parts)


def _badge(verdict: Verdict) -> str:
    text = str(verdict.judgement)
    if verdict.judgement != verdict.by_rule:
        text += f" ({verdict.by_rule} by the rule)"
    return f'<span class="verdict {verdict.judgement}">{escape(text)}</span>'


def _decisive(verdict: Verdict) -> str:
    """The comparison that made the verdict: the first that says the same, and of a supported claim the weakest."""
    same = [one for one in verdict.contrasts if one.judgement == verdict.by_rule]
    found = max(same, key=lambda one: one.p) if verdict.by_rule == "supported" else same[0]
    contrast = found.contrast
    numbers = f"{_effect(found)} {_interval(found)}, n = {contrast.n}{_equivalence(found)}"
    return f"{contrast.measure}, {contrast.name}: {numbers}"


def _equivalence(one: Judged) -> str:
    return f"; within ±{MARGIN:g}: p = {p_value(one.p_equivalent)}" if one.p_equivalent < ALPHA else ""


def _effect(one: Judged) -> str:
    return significant(one.effect) + (" times" if one.contrast.ratio else "")


def _interval(one: Judged) -> str:
    low, high = one.interval
    return f"[{significant(low)}, {significant(high)}]"


def _row(one: Judged) -> tuple[str, ...]:
    contrast = one.contrast
    return (
        contrast.name,
        contrast.claimed,
        _effect(one),
        f"{_interval(one)} at {100 * one.confidence:.4g} %",
        p_value(one.p),
        p_value(one.p_equivalent),
        p_value(one.p_ranks),
        f"{contrast.n}{' pairs' if contrast.paired else ''}",
        str(one.judgement),
    )


def search_shares(groups: Iterable[tuple[str, Group]]) -> str:
    """What the search took of the wall time, of every method that searches.

    Args:
        groups: each with the profile that it was run under.
    """
    rows = [
        (profile, group.label, percent(float(np.mean(shares)), 2), percent(float(np.max(shares)), 2), str(len(group)))
        for profile, group in groups
        if len(group) and float(np.median(shares := group.column("search_share"))) > ALONE
    ]
    header = ("profile", "method", "share of the search, mean", "largest", "runs")
    return table(header, rows, "Of the wall time of training and search.") if rows else ""
