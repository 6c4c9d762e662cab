"""The paper's claims C1 to C7 (Rahmani et al. 2025), and the verdict of a study on each by the rule of `contrasts`.

What is compared, and where a claim's side begins, is fixed here and depends on no data. A verdict is for one task; all
five agents must be in the study, with the same settings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nasdqn_fast.statistics.means import Estimate, one_sample
from nasdqn_fast.study.choices import worth_of_choices
from nasdqn_fast.study.contrasts import MARGIN, Contrast, Judged, Judgement, all_of, judge, more, ratio
from nasdqn_fast.study.outcomes import Group, Outcomes
from nasdqn_fast.study.plan import JOIN, Plan

NAS, RANDOM = "nas-dqn", "random-nas"
SMALL, MEDIUM, LARGE = FIXED = ("fixed-small", "fixed-medium", "fixed-large")
AGENTS = (NAS, RANDOM, *FIXED)

LIKE = 1.25  # C5: costs are alike within this factor
NEGLIGIBLE = 0.05  # C5: share of wall time

FINAL = "final performance (return)"
STABILITY = "SD of the last 100 episodes (return)"
SOONER = "mean episodes to the threshold, at most all"
COST = "wall time of training and search"

Agents = Mapping[str, Group]


@dataclass(frozen=True)
class Claim:
    """One claim of the paper.

    Attributes:
        name: C1 to C7.
        text: what is claimed, in short.
        where: place in the paper.
        rule: what has to be shown.
        contrasts: what is compared, given the five agents; a text instead if the task does not allow it.
    """

    name: str
    text: str
    where: str
    rule: str
    contrasts: Callable[[Agents], Sequence[Contrast] | str]


@dataclass(frozen=True)
class Verdict:
    """What a study says about a claim on a task.

    Attributes:
        claim, task: which.
        variant: the settings that all its agents share beyond the study's, as ``+agent.learning_rate=0.01``.
        judgement: the verdict.
        by_rule: what the rule alone gives; differs from the verdict only where that is ``exploratory``.
        reason: why there is no verdict, or why it is exploratory; else empty.
        contrasts: what it rests on.
    """

    claim: Claim
    task: str
    variant: str
    judgement: Judgement
    by_rule: Judgement
    reason: str
    contrasts: tuple[Judged, ...]


def verdicts(plan: Plan, outcomes: Outcomes) -> list[Verdict]:
    """The verdict on each claim, for each task and each point of the grid."""
    result = []
    for task in outcomes.tasks:
        for variant in _variants(plan):
            for claim in CLAIMS:
                result.append(_verdict(claim, plan, outcomes, task, variant))
    return result


def _verdict(claim: Claim, plan: Plan, outcomes: Outcomes, task: str, variant: str) -> Verdict:
    none = Judgement.NONE

    def without(reason: str) -> Verdict:
        return Verdict(claim, task, variant, none, none, reason, ())

    labels = {agent: agent + variant for agent in AGENTS}
    lacking = [label for label in labels.values() if (task, label) not in outcomes.groups]
    if lacking:
        return without(f"the study has no {', '.join(lacking)}")
    if not outcomes.is_complete:
        return without(f"unfinished: {outcomes.ended} of {outcomes.planned} trials have ended")
    if claim.name == "C5" and plan.profile != "paper":
        return without(f"judged under profile paper; this study has {plan.profile}")
    contrasts = claim.contrasts({agent: outcomes.groups[task, label] for agent, label in labels.items()})
    if isinstance(contrasts, str):
        return without(contrasts)
    judged = judge(contrasts)
    by_rule = all_of(judged)
    if len(plan.looks) > 1:
        reason = f"the number of seeds was changed after the first look ({len(plan.looks)} looks)"
        return Verdict(claim, task, variant, Judgement.EXPLORATORY, by_rule, reason, judged)
    return Verdict(claim, task, variant, by_rule, by_rule, "", judged)


def _variants(plan: Plan) -> list[str]:
    """What follows the names of the five agents in labels of the study: nothing, or a point of the grid."""
    labels = plan.labels
    found = dict.fromkeys(join + settings for _, join, settings in (label.partition(JOIN) for label in labels))
    # Settings that only some of the agents have make no variant of all five.
    return [variant for variant in found if all(agent + variant in labels for agent in AGENTS)] or [""]


def _c1(agents: Agents) -> list[Contrast]:
    return [more(agents[NAS], agents[other], "final_mean", FINAL) for other in (RANDOM, *FIXED)]


def _c2(agents: Agents) -> list[Contrast] | str:
    if math.isnan(agents[NAS].threshold):
        return "the task has no threshold"
    if all(np.isnan(group.column("reached")).all() for group in agents.values()):
        return "no run exceeded the threshold"
    contrasts = []
    for other, factor in ((SMALL, 3), (MEDIUM, 3), (LARGE, 3), (RANDOM, 10)):
        # Nearer, as a factor, to the one claimed than to none.
        contrast = ratio(agents[other], agents[NAS], "restricted", SOONER, math.sqrt(factor), math.inf)
        if all(np.isnan(agents[name].column("reached")).all() for name in (other, NAS)):
            contrast = replace(contrast, estimate=Estimate(0.0, 0.0, 0))  # both ended before it: nothing is known
        contrasts.append(contrast)
    return contrasts


def _c3(agents: Agents) -> list[Contrast]:
    return [more(agents[other], agents[NAS], "final_std", STABILITY) for other in (RANDOM, *FIXED)]


def _c4(agents: Agents) -> list[Contrast]:
    pairs = ((MEDIUM, SMALL), (MEDIUM, LARGE), (SMALL, LARGE))
    return [more(agents[better], agents[worse], "final_mean", FINAL) for better, worse in pairs]


def _c5(agents: Agents) -> list[Contrast]:
    share = agents[NAS].column("search_share")
    overhead = Contrast(
        f"search share of {agents[NAS].label}",
        "share of wall time",
        one_sample(share),
        len(share),
        -math.inf,
        NEGLIGIBLE,
    )
    return [
        ratio(agents[NAS], agents[LARGE], "seconds", COST, 1 / LIKE, LIKE),
        ratio(agents[NAS], agents[RANDOM], "seconds", COST, 1 / LIKE, LIKE),
        *(ratio(agents[NAS], agents[fixed], "seconds", COST, 1.0, math.inf) for fixed in (SMALL, MEDIUM)),
        overhead,
    ]


def _c6(agents: Agents) -> list[Contrast] | str:
    found = worth_of_choices(agents[NAS], agents[RANDOM])
    if found is None:
        return f"too few seeds or switches to know what architectures are worth under {agents[RANDOM].label}"
    name = f"{agents[NAS].label} minus {agents[RANDOM].label}"
    measure = "worth of the architectures chosen (return)"
    return [Contrast(name, measure, *found, 0.0, math.inf, MARGIN)]


def _c7(agents: Agents) -> list[Contrast]:
    return [more(agents[search], agents[fixed], "final_mean", FINAL) for search in (NAS, RANDOM) for fixed in FIXED]


CLAIMS = (
    Claim(
        "C1",
        "NAS-DQN's final performance is above every baseline's.",
        "3.1, abstract",
        "mean return of the last 100 episodes: NAS-DQN less each baseline > 0",
        _c1,
    ),
    Claim(
        "C2",
        "NAS-DQN reaches 150 about 3 times sooner than fixed agents, 10 times sooner than Random-NAS.",
        "3.2, figure 4",
        "mean episodes to the threshold, at most all: each baseline over NAS-DQN > sqrt(3) for fixed agents and > "
        "sqrt(10) for Random-NAS, which is nearer, as a factor, to what is claimed than to no difference",
        _c2,
    ),
    Claim(
        "C3",
        "NAS-DQN has the lowest standard deviation at the end.",
        "3.2, figure 3",
        "SD of the last 100 episodes: each baseline less NAS-DQN > 0",
        _c3,
    ),
    Claim(
        "C4",
        "Fixed large struggles; fixed medium is the best fixed agent.",
        "3.1",
        "mean return of the last 100 episodes: medium less small, medium less large, small less large > 0",
        _c4,
    ),
    Claim(
        "C5",
        "NAS-DQN costs what fixed large and Random-NAS cost; fixed agents are slightly faster; overhead is negligible.",
        "3.3, figure 5",
        f"wall time of training and search: NAS-DQN over large and over Random-NAS within a factor of {LIKE}, over "
        f"small and over medium > 1; share of controller, transfer, pruning and estimator < {NEGLIGIBLE:.0%}",
        _c5,
    ),
    Claim(
        "C6",
        "NAS-DQN's search concentrates on architectures of high reward.",
        "3.4, figure 6",
        "mean worth of the architectures in use after the first switch, as the random searches of other seeds scored "
        "them: NAS-DQN less Random-NAS > 0",
        _c6,
    ),
    Claim(
        "C7",
        "Both searches beat the fixed agents at the end.",
        "figure 7",
        "mean return of the last 100 episodes: NAS-DQN and Random-NAS less each fixed agent > 0",
        _c7,
    ),
)
