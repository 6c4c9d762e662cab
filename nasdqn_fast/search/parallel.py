"""The parallel search: K networks learn at once, and the worst give way to changed copies of the best.

AdaDQN (Vincent et al. 2025, arXiv:2405.16195). docs/adadqn.md lists what is done otherwise than there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.protocol import Population
from nasdqn_fast.events import Event, Played, Replaced, TargetChosen, Told
from nasdqn_fast.flop import forward_flop, update_flop
from nasdqn_fast.search.generation import CandidateSpace, inherited, replacements
from nasdqn_fast.search.several import SeveralNetworks
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Choice, Episodes, Result
from nasdqn_fast.validation import check_int, check_positive_int


class ParallelTrainer(SeveralNetworks):
    """One run of a population; the parts and the order of its events are those of `search.online.Trainer`.

    The run is one segment, from beginning to end. The networks are drawn, and the population made, at once.

    Args:
        make_population: candidates -> ``DQNPopulation`` of either backend.
        space: what the networks are drawn from.
        networks: K, >= 1.
        rng: of the draws of candidates, and of what replaces what.
        weights_rng: of the weights that a replacement makes anew.
        episodes: in all, >= 1.
        replace_every: choices of the target between replacements; 0: nothing is replaced.

    Attributes:
        agent: the population.
        clock: seconds spent as ``controller`` (what replaces what), ``transfer`` (making it) and ``train``.
        episodes_done: episodes ended so far.
    """

    reason = "adadqn"

    def __init__(
        self,
        make_population: Callable[[Sequence[Architecture]], Population],
        space: CandidateSpace,
        networks: int,
        rng: np.random.Generator,
        weights_rng: np.random.Generator,
        *,
        episodes: int,
        replace_every: int,
    ) -> None:
        self.space = space
        self.rng, self.weights_rng = rng, weights_rng
        self.replace_every = check_int("replace_every", replace_every, 0)
        first = [space.sample(rng) for _ in range(check_positive_int("networks", networks))]
        super().__init__(make_population(first), episodes)
        self._choices = 0
        self._target = self.agent.network.architecture

    def run(self, stop: StopToken | None = None) -> Iterator[Event]:
        """Trains to the end, telling what happens as it happens; after `set_state` or a stop, what is left.

        Args:
            stop: stops the population when it is set.

        Events of one choice of the target come one after the other, all but the last while `resumable` is False.

        Raises:
            Stopped: it was set.
            NonFiniteError: a loss, weight, observation or reward is NaN or infinite.
        """
        yield from self._begin()
        while self.episodes_done < self.episodes:
            if not self.agent.unreported and (choice := self.agent.take_choice()) is not None:
                self._whole = False
                *events, last = self._follow(choice)
                yield from events
                self._whole = True
                yield last
                continue
            episodes = self._run_episode(stop)
            if len(episodes):
                actor = self.agent.members[int(self.agent.actors[0])]
                yield Played(actor.network.architecture, episodes)
            elif self.agent.finished and not self.agent.choice_waits:
                break
        if not self._has_told and self.episodes_done:
            self._has_told = True
            yield Told(self.segment, self.episodes_done, self._result())

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"choices": self._choices, "target": str(self._target)}

    def set_state(self, state: Mapping[str, Any], episodes: Episodes) -> None:
        super().set_state(state, episodes)
        self._choices, self._target = state["choices"], Architecture.parse(state["target"])

    def _follow(self, choice: Choice) -> list[Event]:
        """Counts what the last target has cost, and replaces networks where that is due."""
        self._count_cost()
        self._choices += 1
        episode = self.episodes_done + 1
        chosen = self.agent.members[choice.chosen].network.architecture
        self._target = chosen
        events: list[Event] = [TargetChosen(self.segment, episode, choice, chosen)]
        if self.replace_every and self._choices % self.replace_every == 0:
            with self.clock.charge("controller"):
                pairs = replacements(choice.losses, self.rng)
            families = {parent: {self.agent.members[parent].candidate} for _, parent in pairs}
            events += [self._replace(episode, choice, k, parent, families[parent]) for k, parent in pairs]
        return events

    def _replace(self, episode: int, choice: Choice, k: int, parent: int, family: set[Architecture]) -> Event:
        """Puts a changed copy of the parent in the place of network k; `family`: the parent, and its copies so far."""
        members = self.agent.members
        old, source = members[k].candidate, members[parent]
        with self.clock.charge("controller"):
            new = self.space.changed(source.candidate, self.rng)
            layers = new.trained()
        with self.clock.charge("transfer"):
            if new in family:  # with the same weights, too, the two would learn the same for ever
                network = source.network.like(layers, self.weights_rng)
            else:
                network = inherited(source.network, layers, self.weights_rng)
            self.agent.replace(k, new, network)
        family.add(new)
        return Replaced(self.segment, episode, choice.updates, k, parent, old, new)

    def _count_cost(self) -> None:
        """Adds the operations since the last count, all of the same networks and target."""
        agent, (updates, steps) = self.agent, self._uncounted()
        batch, double = agent.settings.batch_size, agent.settings.double
        sizes = agent.network.observation_size, agent.network.n_actions
        # One pass through the target serves all networks.
        an_update = forward_flop(self._target, *sizes, rows=batch)
        for member in agent.members:
            own = member.network.architecture
            an_update += update_flop(own, *sizes, batch=batch, double=double) - forward_flop(own, *sizes, rows=batch)
        self._flop += updates * an_update + forward_flop(self._target, *sizes, rows=steps)

    def _result(self) -> Result:
        self._count_cost()
        return self._result_of(self.agent.updates * len(self.agent.members))
