"""The new network is fitted to the Q-values of the old one, where net2net does not preserve them.

Distillation of a policy as in BG-PBT (Wan et al. 2022, arXiv:2207.09405), here of Q. Features come first and the head
last: after a ridge regression on random features, a network does not learn on (docs/transfers.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nasdqn_fast.plugins import option
from nasdqn_fast.transfers._regression import Scales, fit, refit_head
from nasdqn_fast.transfers.base import Carried, Switch, is_worse
from nasdqn_fast.transfers.net2net import Net2Net, grown

POOL = 16_384  # states that the fit draws from: the old network values each once
HEAD_STATES = 4_096  # of these, those by which the head is corrected; actions are compared on them, too
MOST = 100_000  # steps of a fit: their states are drawn beforehand
HERE = "this package, docs/transfers.md"


class Distill:
    """Preserves Q where that is exact, and fits it elsewhere.

    A network of fresh weights is fitted to Q of the old one by Adam, on states of the memory and on states drawn
    uniformly from the box that these lie in. A correction of the head follows in closed form. Then it may make updates
    from the memory, as the agent does, before it acts, and continues with the optimizer's state from there. If the
    memory is empty, there is nothing to fit it to.

    With a guard, the old and the new network play episodes from the same starts; while the new one is worse, by more
    than a standard error of the mean difference, it is fitted further, and at last refused.

    With a shadow, the old network acts after the switch, too, and the new one learns from the memory that this one
    fills. It takes over when the guard finds it no worse, or when the episodes are over.
    """

    @dataclass(frozen=True)
    class Options:
        exact: bool = option(True, "where net2net preserves Q, use it, and fit nothing", HERE)
        steps: int = option(1_500, "steps of the fit, of 64 states each", HERE, minimum=0, maximum=MOST)
        learning_rate: float = option(1e-2, "Adam's in the fit, at first; it falls to a twentieth", HERE, minimum=1e-6)
        difference_weight: float = option(
            1.0,
            "weight of the differences between actions against their mean, each in units of its size",
            HERE,
            minimum=1e-3,
            maximum=1e6,
        )
        box: float = option(
            0.3, "share of the states drawn from the box of the memory's observations", HERE, minimum=0, maximum=1
        )
        ridge: float = option(1e-3, "penalty of the head's correction after the fit; 0: no correction", HERE, minimum=0)
        td_updates: int = option(0, "updates from the memory before it acts", HERE, minimum=0, maximum=MOST)
        guard: int = option(
            0, "greedy episodes in which the new network must be no worse; 0: no guard", HERE, minimum=0
        )
        tries: int = option(3, "fits before the guard refuses", HERE, minimum=1)
        shadow: int = option(
            0,
            "episodes, at most, in which the old network acts while the new one learns; with a guard, fewer when the "
            "new one is no worse, and none is refused; 0: it acts at once",
            HERE,
            minimum=0,
        )

    def __call__(self, switch: Switch) -> Carried:
        if switch.options.exact:
            carried, preserved = grown(switch, Net2Net.Options().tanh_slope)
            if preserved:
                return carried
        return fitted(switch)


plugin = Distill


def fitted(switch: Switch) -> Carried:
    """A network of fresh weights that is fitted to Q of the old one; `switch` has the options of `Distill`."""
    options = switch.options
    new = switch.old.like(switch.architecture, switch.rng)
    if not len(switch.replay):
        return Carried(new, note="the memory is empty: nothing to fit to")
    states = pool(switch, POOL, options.box)
    q = switch.old.forward(states)
    Scales.of(q).put_into(new)
    state, fits = None, 0
    while True:
        fit(new, states, q, options.steps, options.learning_rate, options.difference_weight, switch.rng)
        if options.ridge:
            refit_head(new, states[:HEAD_STATES], q[:HEAD_STATES], options.ridge)
        agreement = np.mean(new.forward(states[:HEAD_STATES]).argmax(axis=1) == q[:HEAD_STATES].argmax(axis=1))
        if options.td_updates:
            state = switch.learn(new, options.td_updates)
        fits += 1
        note, worse = f"{agreement:.1%} of the greedy actions agreed after the fit", False
        if options.guard and not options.shadow:
            worse, played = is_worse(switch.play, switch.old, new, options.guard)
            note += f"; {played}"
        if not worse or fits == options.tries:
            return Carried(
                new,
                state,
                accepted=not worse,
                updates=fits * options.steps,
                note=note,
                shadow=options.shadow,
                shadow_guard=options.guard,
            )


def pool(switch: Switch, n: int, box: float) -> np.ndarray:
    """States in random order: of the memory, with replacement, and uniform in the box that these lie in.

    Args:
        switch: of its memory, which is not empty, and its generator.
        n: how many.
        box: share of the latter, in [0, 1].
    """
    seen = switch.replay.transitions().observations
    drawn = seen[switch.rng.integers(len(seen), size=n)]
    uniform = switch.rng.uniform(seen.min(axis=0), seen.max(axis=0), size=drawn.shape).astype(drawn.dtype)
    return np.where(switch.rng.random((n, 1)) < box, uniform, drawn)
