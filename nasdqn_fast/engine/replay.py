"""The replay memory on compiled code: a ring of transitions (Lin 1992; Mnih et al. 2015)."""

from nasdqn_fast._core.replay import ReplayCore


class ReplayBuffer(ReplayCore):
    __doc__ = ReplayCore.__doc__
