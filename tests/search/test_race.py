"""The race: who acts, who is retired and when, and what it all costs."""

from types import SimpleNamespace

import numpy as np
import pytest

from nasdqn_fast.controllers.nas_dqn import softmax_of_z_scores
from nasdqn_fast.events import Asked, Played, PopulationDrawn, Raced, Told
from nasdqn_fast.flop import forward_flop, update_flop
from nasdqn_fast.search.race import FIRST, RaceTrainer, draw
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Episodes

SPACE = SearchSpace([f"1x{width}-relu" for width in range(1, 10)])
STEPS, UPDATES = 10, 7  # of an episode


class Scripted:
    """An ensemble whose k-th network returns `worth[k]`, with noise; it learns nothing."""

    def __init__(self, candidates, worth, noise=0.0, seed=0):
        self.members = [SimpleNamespace(candidate=c, network=SimpleNamespace(architecture=c)) for c in candidates]
        for member in self.members:
            member.network.observation_size, member.network.n_actions = 3, 2
        self.worth, self.noise, self.rng = worth, noise, np.random.default_rng(seed)
        self.retired = np.zeros(len(self.members), bool)
        self.settings = SimpleNamespace(batch_size=4, double=True)
        self.chosen = self.steps = self.updates = 0
        self.acted = []

    @property
    def network(self):
        return self.members[self.chosen].network

    def act_by(self, k):
        assert not self.retired[k]
        self.chosen = k

    def retire(self, k):
        assert k != self.chosen
        self.retired[k] = True

    def run_episodes(self, n, stop=None):
        assert n == 1
        self.steps, self.updates = self.steps + STEPS, self.updates + UPDATES
        self.actors = np.array([self.chosen])
        self.acted.append(self.chosen)
        worth = self.worth[self.chosen] + self.noise * self.rng.normal()
        return Episodes(np.array([worth]), np.array([STEPS]), np.zeros(1), np.zeros(1))


def race(worth=(1, 5, 2, 4, 3, 0), episodes=400, noise=0.0, seed=0, **options):
    options = {"keep": 2, "halve_every": 100, "window": 10, "temperature": 0.5} | options
    rng, ensembles = np.random.default_rng(seed), []

    def make(candidates):
        ensembles.append(Scripted(candidates, worth, noise, seed))
        return ensembles[0]

    trainer = RaceTrainer(make, SPACE, len(worth), rng, episodes=episodes, **options)
    return trainer, ensembles[0], list(trainer.run())


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_the_worse_half_is_retired_again_and_again_until_so_many_are_left():
    trainer, ensemble, events = race()
    retired = [(event.episode, set(event.retired)) for event in of(events, Raced)]
    assert retired == [(100, {0, 2, 5}), (200, {4}), (400, set())]
    assert ensemble.retired.tolist() == [True, False, True, False, True, True]
    assert of(events, Raced)[-1].best == 1
    assert ensemble.chosen == 1
    assert trainer.in_use == ensemble.members[1].candidate


@pytest.mark.parametrize(("keep", "left"), [(1, 1), (2, 2), (4, 4), (6, 6)])
def test_as_many_are_left_as_are_to_be_kept(keep, left):
    _, ensemble, events = race(keep=keep)
    assert (~ensemble.retired).sum() == left
    assert not ensemble.retired[1]
    assert len(of(events, Raced)) == {1: 4, 2: 3, 4: 2, 6: 1}[keep]


def test_nobody_is_retired_before_all_have_played_often_enough():
    _, ensemble, events = race(halve_every=1, keep=1)
    first, second, *_ = of(events, Raced)
    assert first.episode == 6 * FIRST
    assert ensemble.acted[: 6 * FIRST] == [*range(6)] * FIRST
    assert second.episode == first.episode + 1


def test_networks_act_as_often_as_a_softmax_over_their_scores_says():
    """Oracle: its probabilities, over 6,000 draws."""
    worth = (1.0, 5.0, 2.0, 4.0)
    _, ensemble, _ = race(worth, episodes=6_000 + 4 * FIRST, keep=4, temperature=1.0)
    shares = np.bincount(ensemble.acted[4 * FIRST :], minlength=4) / 6_000
    np.testing.assert_allclose(shares, softmax_of_z_scores(worth, 1.0), atol=0.03)


def test_a_score_is_the_mean_of_the_latest_episodes_of_a_network():
    trainer, ensemble, events = race(noise=1.0, window=4, episodes=90)
    returns = [float(event.episodes.returns[0]) for event in of(events, Played)]
    for k, score in trainer.scores.items():
        own = [one for one, actor in zip(returns, ensemble.acted, strict=True) if actor == k]
        assert score == pytest.approx(np.mean(own[-4:]))


def test_the_best_of_noisy_networks_mostly_wins():
    """Five that are worth 0 and one worth 2, noise of 3: means of ten have an error of 0.95; chance is 1 in 6."""
    wins = sum(race((0, 0, 0, 2, 0, 0), noise=3.0, seed=seed)[1].chosen == 3 for seed in range(60))
    assert wins > 36


def test_operations_and_updates_of_all_that_learn_are_counted():
    _, ensemble, events = race(episodes=150)
    cost = of(events, Told)[0].result.cost
    assert cost.steps == 150 * STEPS
    # Six learn in the first hundred episodes; the episode that ends with a retirement still counts for six.
    assert cost.updates == UPDATES * (100 * 6 + 50 * 3)
    sizes = [member.candidate for member in ensemble.members]
    flop = sum(forward_flop(sizes[k], 3, 2, rows=STEPS) for k in ensemble.acted)
    flop += sum(update_flop(one, 3, 2, batch=4, double=True) for one in sizes) * 100 * UPDATES
    flop += sum(update_flop(sizes[k], 3, 2, batch=4, double=True) for k in (1, 3, 4)) * 50 * UPDATES
    assert cost.flop == flop
    assert cost.parameters == sum(one.parameter_count(3, 2) for one in sizes)


def test_events_come_in_order_and_none_is_half_told():
    trainer, _, events = race(episodes=200)
    kinds = [type(event) for event in events]
    assert kinds[:2] == [Asked, PopulationDrawn]
    assert kinds[-2:] == [Raced, Told]
    assert kinds[2:-2].count(Played) == 200
    assert kinds[2 + 99 : 2 + 101] == [Played, Raced]
    assert trainer.resumable


def test_no_architecture_is_drawn_twice_before_all_were():
    drawn = draw(SPACE, 20, np.random.default_rng(1))
    assert sorted(drawn[:9]) == sorted(drawn[9:18]) == sorted(SPACE)
    assert draw(SearchSpace(["1x4-relu"]), 3, np.random.default_rng(0)) == [Architecture.parse("1x4-relu")] * 3
