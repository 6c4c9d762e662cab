"""The supernet search: one network that contains all architectures is trained, then each of them is scored.

Slimmable networks (Yu et al. 2019, arXiv:1812.08928), the sandwich rule (Yu and Huang 2019, arXiv:1903.05134) and
uniform paths (Guo et al. 2020, arXiv:1904.00420), on a Q-network. docs/supernet.md says what is done otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.protocol import Supernet
from nasdqn_fast.events import Asked, Event, Played, Ranked, Told
from nasdqn_fast.flop import forward_flop
from nasdqn_fast.search.greedy import GreedyEpisodes
from nasdqn_fast.search.whole_run import WholeRun
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Cost, Episodes
from nasdqn_fast.validation import check_positive_int


class SupernetTrainer(WholeRun):
    """One run of a supernet; the parts and the order of its events are those of `search.online.Trainer`.

    The run is one segment, from beginning to end, in which the largest path acts. After the last episode every
    architecture plays greedy episodes with the weights of its path, from starts that are the same for all.

    Args:
        agent: the supernet.
        episodes: in all, >= 1.
        score_episodes: greedy episodes of each architecture, >= 1.

    Attributes:
        agent: as given.
        clock: seconds spent as ``estimator`` (greedy episodes) and ``train``.
        episodes_done: episodes ended so far.
    """

    reason = "supernet"

    def __init__(self, agent: Supernet, *, episodes: int, score_episodes: int) -> None:
        super().__init__(agent, episodes)
        self.score_episodes = check_positive_int("score_episodes", score_episodes)
        self._score_steps = 0

    def run(self, stop: StopToken | None = None) -> Iterator[Event]:
        """Trains to the end, telling what happens as it happens; after `set_state` or a stop, what is left.

        Args:
            stop: stops the agent, and the greedy episodes, when it is set.

        Raises:
            Stopped: it was set.
            NonFiniteError: a loss, weight, observation or reward is NaN or infinite.
        """
        if not self._began:
            self._began = True
            yield Asked(self.segment, 1, self.proposal)
        while self.episodes_done < self.episodes:
            if (event := self._between_episodes(stop)) is not None:
                yield event
            episodes = self._run_episode(stop)
            if len(episodes):
                yield Played(self.agent.network.architecture, episodes)
            elif self.agent.finished:
                break
        if not self._has_told and self.episodes_done:
            ranked = self._ranked(stop)
            self._has_told, self._whole = True, False
            yield ranked
            self._whole = True
            yield Told(self.segment, self.episodes_done, self._result_with(self._cost()))

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"score_steps": self._score_steps}

    def set_state(self, state: Mapping[str, Any], episodes: Episodes) -> None:
        super().set_state(state, episodes)
        self._score_steps = state["score_steps"]

    def _between_episodes(self, stop: StopToken | None) -> Event | None:
        """What is done before the next episode, and is to be told."""
        return None

    def _pick(self, ranking: tuple[tuple[Architecture, float], ...]) -> Architecture:
        """The architecture that the search decides for."""
        return ranking[0][0]

    def _ranked(self, stop: StopToken | None) -> Ranked:
        """The greedy returns of all architectures."""
        scores, steps = self._scores(self.agent.plan.space, self.score_episodes, (), stop)
        ranking = tuple(sorted(scores.items(), key=lambda item: -item[1]))  # stable
        network = self.agent.path(self._pick(ranking))
        return Ranked(self.segment, self.episodes_done, ranking, self.score_episodes, steps, network)

    def _scores(
        self, architectures: Iterable[Architecture], episodes: int, key: tuple[int, ...], stop: StopToken | None
    ) -> tuple[dict[Architecture, float], int]:
        """Mean greedy returns of paths, and the environment steps they took, which count as the run's.

        Args:
            architectures: of the space.
            episodes: of each.
            key: of the starts, which are the same for all.
            stop: stops it, and nothing is counted then.
        """
        agent, scores, flop = self.agent, {}, 0
        sizes = agent.network.observation_size, agent.network.n_actions
        greedy = GreedyEpisodes(agent, lambda i: agent.streams.child("estimator", *key, i), stop)
        with self.clock.charge("estimator"):
            for one in architectures:
                played = greedy.play(agent.path(one), episodes)
                scores[one] = float(played.returns.mean())
                flop += forward_flop(one, *sizes, rows=int(played.lengths.sum()))
        self._flop += flop
        self._score_steps += greedy.steps
        return scores, greedy.steps

    def _count_cost(self) -> None:
        """Adds the operations since the last count, of paths that were drawn by the odds as they are: their mean."""
        agent, plan, (updates, steps) = self.agent, self.agent.plan, self._uncounted()
        batch, double = agent.settings.batch_size, agent.settings.double
        largest, sizes = agent.network.architecture, (agent.network.observation_size, agent.network.n_actions)
        self._flop += updates * plan.update_flop(*sizes, batch=batch, double=double, odds=agent.odds)
        self._flop += forward_flop(largest, *sizes, rows=steps)

    def _cost(self) -> Cost:
        self._count_cost()
        agent = self.agent
        return Cost(
            agent.steps + self._score_steps,
            agent.updates,
            parameters=agent.shared.parameters.size,
            flop=self._flop,
        )
