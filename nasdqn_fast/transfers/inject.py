"""Q stays as it is: the new network learns on top of the old one, which is frozen, and later takes its place.

Plasticity injection (Nikishin et al. 2023, arXiv:2305.15555), here between any two architectures.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasdqn_fast.plugins import option
from nasdqn_fast.transfers.base import Carried, Switch
from nasdqn_fast.transfers.distill import HERE, Distill, fitted
from nasdqn_fast.transfers.net2net import Net2Net, grown


class Inject:
    """Adds a network to the old one, and later fits one network to the sum.

    At the switch, Q is that of the old network, frozen, plus that of a network of fresh weights, less that of a frozen
    copy of it: exact for any pair of architectures. The new network alone learns. Until the sum is folded, a pass
    forward is one of three networks, or of more where a fold was refused. Where `net2net` is exact by itself, `exact`
    prefers it.

    After `fold_after` environment steps, and at the latest at the end of the segment, the sum is folded: a network of
    the architecture alone is fitted to it, as `distill` fits to an old network, and training continues with it.
    """

    @dataclass(frozen=True)
    class Options(Distill.Options):
        exact: bool = option(False, "where net2net preserves Q, use it, and add nothing", HERE)
        fold_after: int = option(
            2_000, "environment steps until the sum is folded; at the latest at the end of the segment", HERE, minimum=1
        )

    def __call__(self, switch: Switch) -> Carried:
        old = switch.old
        if old.base and switch.architecture == old.architecture:
            if not len(switch.replay):
                return Carried(old, accepted=False, note="the memory is empty: nothing to fit to")
            return fitted(switch)
        if switch.options.exact:
            carried, preserved = grown(switch, Net2Net.Options().tanh_slope)
            if preserved:
                return carried
        new = old.like(switch.architecture, switch.rng)
        injected = new.plus([(new, -1), (old, 1)])
        note = f"Q is that of {1 + len(injected.base)} networks until they are folded"
        return Carried(injected, note=note, fold_after=switch.options.fold_after)


plugin = Inject
