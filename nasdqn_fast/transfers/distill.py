"""The new network is fitted to the Q-values of the old one, where net2net does not preserve them.

Distillation of a policy as in BG-PBT (Wan et al. 2022, arXiv:2207.09405), here of Q. Features come first and the head
last: after a ridge regression on random features, a network does not learn on (docs/transfers.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from nasdqn_fast.plugins import option
from nasdqn_fast.transfers._fitting import HERE, FitOptions, fitted
from nasdqn_fast.transfers.base import Carried, Switch
from nasdqn_fast.transfers.net2net import Net2Net, grown


class Distill:
    """Preserves Q where that is exact, and fits it elsewhere.

    A network of fresh weights is fitted to Q of the old one by Adam, on states of the memory and on states drawn
    uniformly from the box that these lie in. A correction of the head follows in closed form. Then it may make updates
    from the memory, as the agent does, before it acts, and continues with the optimizer's state from there. If the
    memory is empty, there is nothing to fit it to.

    With a guard, the old and the new network play episodes from the same starts; while the new one is worse, by more
    than a standard error of the mean difference, it is fitted further, and at last refused.
    """

    @dataclass(frozen=True)
    class Options(FitOptions):
        exact: bool = option(True, "where net2net preserves Q, use it, and fit nothing", HERE)

    def __call__(self, switch: Switch) -> Carried:
        if switch.options.exact:
            carried, preserved = grown(switch, Net2Net.Options().tanh_slope)
            if preserved:
                return carried
        return fitted(switch)


plugin = Distill
