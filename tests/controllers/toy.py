"""Toy tasks: what each architecture of the paper's space is worth is known, and scores are that plus noise."""

import numpy as np

from nasdqn_fast.controllers import base
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.testing.controllers import result

SPACE = SearchSpace.paper()
DEPTHS, WIDTHS, ACTIVATIONS = ((2, 3, 4), (32, 64, 128), ("relu", "tanh", "leaky_relu"))
NOISE = 0.5  # deviations of the architectures' values: about as on the pendulum with few episodes


class Task:
    """Effects of depth, width and activation, and half as large ones of their combinations; unit and origin vary.

    Args:
        seed: of what the architectures are worth, and of the noise.
    """

    def __init__(self, seed):
        self.rng = np.random.default_rng([seed, 7])
        main = [self.rng.standard_normal(3) for _ in range(3)]
        values = main[0][:, None, None] + main[1][:, None] + main[2] + 0.5 * self.rng.standard_normal((3, 3, 3))
        values = (values - values.mean()) / values.std()
        self.unit, self.origin = 10.0 ** self.rng.uniform(-1, 3), self.rng.uniform(-400, 500)
        self.values = dict(zip(SPACE, values.ravel(), strict=True))

    def score(self, architecture):
        """What a segment is worth."""
        value = self.values[architecture] + NOISE * self.rng.standard_normal()
        return self.origin + self.unit * value

    def advantage(self, proposals, weights=None):
        """How far the mean worth is above that of all architectures, as a share of how far the best one's is.

        Args:
            proposals: of architectures.
            weights: of each; None: all the same.
        """
        values = [self.values[proposal.architecture] for proposal in proposals]
        return float(np.average(values, weights=weights)) / max(self.values.values())


def search(name, seed, trials=200, **options):
    """The task, and what a controller proposed."""
    task, proposals = Task(seed), []
    controller = base.make(name, SPACE, np.random.default_rng(seed), options)
    for _ in range(trials):
        proposal = controller.ask()
        proposals.append(proposal)
        controller.tell(result(proposal, task.score(proposal.architecture)))
    return task, proposals


def late_advantage(name, seed, **options):
    """The advantage of trials 151 to 200, each weighted by the episodes it had, where the controller says."""
    task, proposals = search(name, seed, **options)
    late = proposals[150:]
    return task.advantage(late, [proposal.budget or 1 for proposal in late])
