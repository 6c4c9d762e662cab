"""What the paper contradicts itself in, and what it leaves open: facts about its text, not about a study."""

from __future__ import annotations

from nasdqn_fast.config import all_settings
from nasdqn_fast.report.html import table
from nasdqn_fast.study.plan import Plan, text_of

CONTRADICTIONS = (
    (
        "Random-NAS",
        'figure 7: it and NAS-DQN "substantially outperform fixed-architecture baselines" at the end',
        'introduction: its outcomes are "consistently inferior"; abstract: learned search "substantially outperforms" '
        "random exploration",
    ),
    (
        "Ten times sooner",
        "figure 4: NAS-DQN converges about 10 times faster than Random-NAS",
        "2.3.2, 2.4.1: until the first switch, after episode 200, both draw one architecture uniformly and are the "
        "same agent; and ten times anything beyond episode 200 exceeds the 2,000 episodes of a run",
    ),
    (
        "Three times sooner",
        "figure 4: about 3 times faster than fixed agents, because the agent finds its complexity early (3.2)",
        "2.4.1: the first switch comes after episode 200; if search is the reason, fixed agents need 600 or more",
    ),
    (
        "What a switch does",
        'section 3.3: "re-initializing network models"',
        '2.3.3, 2.4.1: "model transition"; one cannot tell whether weights cross it',
    ),
    (
        "Cost",
        "abstract and conclusion: negligible overhead, without increasing computational cost",
        "section 3.3: fixed agents are faster, since they re-initialize nothing; a larger network costs several "
        "times a small one",
    ),
    (
        "Large networks",
        "introduction: excessively complex networks overfit",
        "section 3.1: the large one struggles because it is hard to optimize",
    ),
    (
        "Fixed baselines",
        'abstract: "poorly-chosen fixed designs" are outperformed; conclusion: architecture adaptation is "necessary"',
        "section 2.4.1: three networks that no search has chosen; the best fixed one is not known",
    ),
    (
        "Three seeds",
        "sections 1, 3 and 4: consistent and significant improvements",
        "section 2.4: three runs of each; a rank test of three against three cannot give p below 0.10",
    ),
    (
        "The end of an episode",
        "section 2.3.1: y = r for terminal states",
        "section 2.1.3: episodes end by time only, which the state does not hold",
    ),
    (
        "Where the plots are",
        "section 3.2: stability is bottom left",
        'section 3.3: so is the "Computational Cost" plot',
    ),
    (
        "Complexity",
        'section 3.4 is titled "Complexity vs. Performance Analysis"',
        "it holds conclusions, and neither numbers nor a plot of complexity",
    ),
)


def contradictions() -> str:
    """As a table."""
    return table(("about", "one place", "another"), CONTRADICTIONS, numbers=False)


def left_open(plan: Plan) -> str:
    """Every option that the paper does not give, with the value that this study used."""
    rows = []
    for setting in all_settings():
        if not ("not given" in setting.source or "secondary" in setting.source):
            continue
        section = plan.config.get(setting.section, {})
        value = text_of(section[setting.key]) if setting.key in section else setting.default
        if (points := plan.grid.get(f"{setting.section}.{setting.key}")) is not None:
            value = "varied: " + ", ".join(map(text_of, points))
        rows.append((setting.option, value, setting.help, setting.source))
    caption = "Of the first method; a method or task with settings of its own has them in its label."
    return table(("option", "value used", "what it is", "where the default is from"), rows, caption, numbers=False)
