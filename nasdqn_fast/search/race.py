"""The race: networks of several architectures learn side by side, and the worst leave until a few are left.

Successive halving (Karnin, Koren & Somekh 2013; Jamieson & Talwalkar 2016, arXiv:1502.07943) within one run: the
networks share every transition, whoever acted, so that what one of them finds all of them learn from. docs/race.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.controllers.nas_dqn import softmax_of_z_scores
from nasdqn_fast.engine.protocol import Ensemble
from nasdqn_fast.events import Event, Played, Raced, Told
from nasdqn_fast.flop import forward_flop, update_flop
from nasdqn_fast.search.several import SeveralNetworks
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Episodes, Result
from nasdqn_fast.validation import check_int, check_positive, check_positive_int

FIRST = 3  # episodes that each network plays before their scores count


class RaceTrainer(SeveralNetworks):
    """One run of an ensemble; the parts and the order of its events are those of `search.online.Trainer`.

    The run is one segment, from beginning to end. The networks are drawn, and the ensemble made, at once. In every
    episode one network acts, drawn by a softmax over the mean returns of the latest episodes of each; and every so
    many episodes the worse half is retired.

    Args:
        make_ensemble: candidates -> ``DQNEnsemble`` of either backend.
        space: what the networks are drawn from, without repetition as far as that goes.
        networks: how many begin, >= 1.
        rng: of all draws of candidates and of who acts.
        episodes: in all, >= 1.
        keep: how many are never retired, from 1 to `networks`.
        halve_every: episodes between two retirements, >= 1.
        window: latest episodes of a network that its score is the mean of, >= 1.
        temperature: of the softmax over z-scores, > 0.

    Attributes:
        agent: the ensemble.
        clock: seconds spent as ``controller`` (who acts, who is retired) and ``train``.
        episodes_done: episodes ended so far.
    """

    reason = "race"

    def __init__(
        self,
        make_ensemble: Callable[[Sequence[Architecture]], Ensemble],
        space: SearchSpace,
        networks: int,
        rng: np.random.Generator,
        *,
        episodes: int,
        keep: int,
        halve_every: int,
        window: int,
        temperature: float,
    ) -> None:
        self.rng = rng
        self.keep = check_int("keep", keep, 1, check_positive_int("networks", networks))
        self.halve_every = check_positive_int("halve_every", halve_every)
        self.window = check_positive_int("window", window)
        self.temperature = check_positive("temperature", temperature)
        super().__init__(make_ensemble(draw(space, networks, rng)), episodes)
        self._latest: list[list[float]] = [[] for _ in range(networks)]  # returns, by network
        self._played = [0] * networks  # episodes, by network
        self._actor: int | None = None  # of the episode in progress; None between two of them
        self._next_cut = self.halve_every
        self._updates = 0  # of all networks together

    @property
    def scores(self) -> dict[int, float]:
        """Mean of the latest returns of each network that is not retired and has played."""
        return {k: float(np.mean(self._latest[k])) for k in self._active() if self._latest[k]}

    def run(self, stop: StopToken | None = None) -> Iterator[Event]:
        """Trains to the end, telling what happens as it happens; after `set_state` or a stop, what is left.

        Args:
            stop: stops the ensemble when it is set.

        Raises:
            Stopped: it was set.
            NonFiniteError: a loss, weight, observation or reward is NaN or infinite.
        """
        yield from self._begin()
        while self.episodes_done < self.episodes:
            if self._actor is None:
                with self.clock.charge("controller"):
                    event = self._retire_if_due()
                    self._actor = None if event else self._next_actor()
                if event:
                    yield event
                    continue
            self.agent.act_by(self._actor)
            episodes = self._run_episode(stop)
            if not len(episodes):
                break
            yield self._count(episodes)
        if not self._has_told and self.episodes_done:
            self._has_told, self._whole = True, False
            yield self._compared(())
            self._whole = True
            yield Told(self.segment, self.episodes_done, self._result())

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {
            "latest": [list(returns) for returns in self._latest],
            "played": list(self._played),
            "actor": self._actor,
            "next_cut": self._next_cut,
            "all_updates": self._updates,
        }

    def set_state(self, state: Mapping[str, Any], episodes: Episodes) -> None:
        super().set_state(state, episodes)
        self._latest = [list(returns) for returns in state["latest"]]
        self._played = list(state["played"])
        self._actor, self._next_cut, self._updates = state["actor"], state["next_cut"], state["all_updates"]

    def _active(self) -> list[int]:
        return [k for k, out in enumerate(self.agent.retired.tolist()) if not out]

    def _best(self) -> int:
        """The network of the highest score, the first of equals; before any has one, the one that acts."""
        scores = self.scores
        return max(scores, key=scores.__getitem__) if scores else int(self.agent.chosen)

    def _count(self, episodes: Episodes) -> Event:
        """Takes the return of an episode into the score of the network that acted in it."""
        k = int(self.agent.actors[0])
        self._count_cost(k)
        self._latest[k] = [*self._latest[k], float(episodes.returns[0])][-self.window :]
        self._played[k] += 1
        self._actor = None
        return Played(self.agent.members[k].network.architecture, episodes)

    def _retire_if_due(self) -> Event | None:
        """Retires the worse half when it is time, or fewer where more are to be kept."""
        active = self._active()
        if self.episodes_done < self._next_cut or min(self._played[k] for k in active) < FIRST:
            return None
        self._next_cut = self.episodes_done + self.halve_every
        if len(active) <= self.keep:
            return None
        scores = self.scores
        ranked = sorted(active, key=lambda k: -scores[k])
        leaving = ranked[max(self.keep, (len(ranked) + 1) // 2) :]
        event = self._compared(leaving)
        for k in leaving:
            self.agent.retire(k)
        return event

    def _compared(self, leaving: Sequence[int]) -> Event:
        """Makes the best network act, and says how all compare."""
        scores, best = self.scores, self._best()
        self.agent.act_by(best)
        architecture = self.agent.members[best].network.architecture
        return Raced(self.segment, self.episodes_done, self.agent.updates, scores, tuple(leaving), best, architecture)

    def _next_actor(self) -> int:
        active = self._active()
        fewest = min(active, key=lambda k: self._played[k])
        if len(active) == 1 or self._played[fewest] < FIRST:
            return fewest
        scores = self.scores
        odds = softmax_of_z_scores([scores[k] for k in active], self.temperature)
        return active[int(self.rng.choice(len(active), p=odds))]

    def _count_cost(self, actor: int) -> None:
        """Adds the operations since the last episode's end, of all that learn and of the one that acted."""
        agent, (updates, steps) = self.agent, self._uncounted()
        sizes = agent.network.observation_size, agent.network.n_actions
        settings, active = agent.settings, self._active()
        for k in active:
            architecture = agent.members[k].network.architecture
            an_update = update_flop(architecture, *sizes, batch=settings.batch_size, double=settings.double)
            self._flop += updates * an_update
        self._updates += updates * len(active)
        self._flop += forward_flop(agent.members[actor].network.architecture, *sizes, rows=steps)

    def _result(self) -> Result:
        self._count_cost(self.agent.chosen)
        return self._result_of(self._updates)


def draw(space: SearchSpace, n: int, rng: np.random.Generator) -> list[Architecture]:
    """Candidates in random order, none twice before all were drawn."""
    rounds = (rng.permutation(len(space)) for _ in itertools.count())
    return [space[int(i)] for i in itertools.islice(itertools.chain.from_iterable(rounds), n)]
