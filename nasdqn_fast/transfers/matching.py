"""Layers of equal shape are copied, the others are new.

The one secondary account of Algorithm 1 of Rahmani et al. 2025 (arXiv:2510.19872) has it as
"transferring matching weights"; the paper itself does not say.
"""

from __future__ import annotations

from nasdqn_fast.transfers.base import Carried, Switch, paired_layers


def matching(switch: Switch) -> Carried:
    """Copies a layer if its weight matrix has the shape of the layer it is paired with.

    Bias and weights go together: the head's bias has a fixed length and would always fit, but
    without its weights it means nothing.
    """
    old, new = switch.old, switch.old.like(switch.architecture, switch.rng)
    for i, j in paired_layers(old, new):
        if old.weights[i].shape == new.weights[j].shape:
            new.weights[j][...] = old.weights[i]
            new.biases[j][...] = old.biases[i]
    return Carried(new)


plugin = matching
