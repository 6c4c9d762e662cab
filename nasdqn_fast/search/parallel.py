"""The parallel search: K networks learn at once, and the worst give way to changed copies of the best.

AdaDQN (Vincent et al. 2025, arXiv:2405.16195). docs/adadqn.md lists what is done otherwise than there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.protocol import Population
from nasdqn_fast.errors import Stopped
from nasdqn_fast.events import Asked, Event, Played, PopulationDrawn, Replaced, TargetChosen, Told
from nasdqn_fast.flop import forward_flop, update_flop
from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.search.clock import Clock
from nasdqn_fast.search.curve import LearningCurve
from nasdqn_fast.search.generation import CandidateSpace, inherited, replacements
from nasdqn_fast.search.restore import restore
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import WHOLE_RUN, Candidate, Choice, Cost, Episodes, Proposal, Result
from nasdqn_fast.validation import check_int, check_positive_int

REASON = "adadqn"


class ParallelTrainer:
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

    open_ended = True  # its segment lasts as long as the run, however long that is
    cut_short = False

    @property
    def in_use(self) -> Architecture:
        """That of the target."""
        architecture: Architecture = self.agent.network.architecture
        return architecture

    def __init__(
        self,
        make_population: Callable[[Sequence[Candidate]], Population],
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
        self.episodes = check_positive_int("episodes", episodes)
        self.replace_every = check_int("replace_every", replace_every, 0)
        self.clock = Clock()
        self.segment = 1
        self.episodes_done = 0
        self._choices = 0
        self._began = self._has_told = False
        self._whole = True  # no replacement or report of one is half done
        self._curve = LearningCurve()
        first = [space.sample(rng) for _ in range(check_positive_int("networks", networks))]
        self.proposal = Proposal(first[0].architecture, REASON, WHOLE_RUN)
        self.agent = make_population(first)
        # Operations, and the updates and steps that are in them.
        self._flop = self._counted_updates = self._counted_steps = 0
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
        if not self._began:
            candidates = tuple(member.candidate for member in self.agent.members)
            self._began, self._whole = True, False
            yield Asked(self.segment, 1, self.proposal)
            self._whole = True
            yield PopulationDrawn(self.segment, candidates)
        while self.episodes_done < self.episodes:
            if not self.agent.unreported and (choice := self.agent.take_choice()) is not None:
                self._whole = False
                *events, last = self._follow(choice)
                yield from events
                self._whole = True
                yield last
                continue
            with self.clock.charge("train"):
                episodes = self._run_episode(stop)
            if len(episodes):
                self.episodes_done += len(episodes)
                self._curve.append(episodes)
                actor = self.agent.members[int(self.agent.actors[0])]
                yield Played(actor.candidate.architecture, episodes)
            elif self.agent.finished and not self.agent.choice_waits:
                break
        if not self._has_told and self.episodes_done:
            self._has_told = True
            yield Told(self.segment, self.episodes_done, self._result())

    @property
    def resumable(self) -> bool:
        """Whether `get_state` can be called: the run has begun, and nothing is half done."""
        return self._began and self._whole

    def check_savable(self) -> None:
        """Does nothing: no plug-in takes part, and what the package keeps can be saved."""

    def get_state(self) -> dict[str, Any]:
        """All that `set_state` needs, besides the episodes, to continue to the bit: plain JSON values and arrays.

        To be called where `resumable`.
        """
        assert self.resumable, "there is no state to go on from"
        return {
            "episodes_done": self.episodes_done,
            "choices": self._choices,
            "told": self._has_told,
            "flop": self._flop,
            "counted_updates": self._counted_updates,
            "counted_steps": self._counted_steps,
            "first": str(self.proposal.architecture),
            "target": str(self._target),
            "agent": self.agent.get_state(),
        }

    def set_state(self, state: Mapping[str, Any], episodes: Episodes) -> None:
        """Restores a state returned by `get_state` of a trainer of the same arguments.

        Args:
            state: the state.
            episodes: all that had ended by then.

        Raises:
            InputError: the population's state does not fit: the environment has other sizes by now, for instance.
        """
        restore(self.agent, state["agent"])
        self._began = True
        self.episodes_done, self._choices = state["episodes_done"], state["choices"]
        self._has_told = state["told"] and self.episodes_done >= self.episodes
        self._flop = state["flop"]
        self._counted_updates, self._counted_steps = state["counted_updates"], state["counted_steps"]
        self.proposal = Proposal(state["first"], REASON, WHOLE_RUN)
        self._target = Architecture.parse(state["target"])
        self._curve = LearningCurve()
        self._curve.append(episodes)

    def _run_episode(self, stop: StopToken | None) -> Episodes:
        try:
            return self.agent.run_episodes(1, stop)
        except Stopped:
            raise
        except BaseException:  # of training or an environment; or a handler's, perhaps in the middle of a step
            self._whole = self.agent.whole
            raise

    def _follow(self, choice: Choice) -> list[Event]:
        """Counts what the last target has cost, and replaces networks where that is due."""
        self._count_cost()
        self._choices += 1
        episode = self.episodes_done + 1
        chosen = self.agent.members[choice.chosen].candidate.architecture
        self._target = chosen
        events: list[Event] = [TargetChosen(self.segment, episode, choice, chosen)]
        if self.replace_every and self._choices % self.replace_every == 0:
            with self.clock.charge("controller"):
                pairs = replacements(choice.losses, self.rng)
            families = {parent: {self.agent.members[parent].candidate} for _, parent in pairs}
            events += [self._replace(episode, choice, k, parent, families[parent]) for k, parent in pairs]
        return events

    def _replace(self, episode: int, choice: Choice, k: int, parent: int, family: set[Candidate]) -> Event:
        """Puts a changed copy of the parent in the place of network k; `family`: the parent, and its copies so far."""
        members = self.agent.members
        old, source = members[k].candidate, members[parent]
        with self.clock.charge("controller"):
            new = self.space.changed(source.candidate, self.rng)
        with self.clock.charge("transfer"):
            if new in family:  # with the same weights, too, the two would learn the same for ever
                network = source.network.like(new.architecture, self.weights_rng)
            else:
                network = inherited(source.network, new.architecture, self.weights_rng)
            self.agent.replace(k, new, network)
        family.add(new)
        return Replaced(self.segment, episode, choice.updates, k, parent, old, new)

    def _count_cost(self) -> None:
        """Adds the operations since the last count, all of the same networks and target."""
        agent = self.agent
        updates, steps = agent.updates - self._counted_updates, agent.steps - self._counted_steps
        self._counted_updates, self._counted_steps = agent.updates, agent.steps
        batch, double = agent.settings.batch_size, agent.settings.double
        sizes = agent.network.observation_size, agent.network.n_actions
        # One pass through the target serves all networks.
        an_update = forward_flop(self._target, *sizes, rows=batch)
        for member in agent.members:
            own = member.candidate.architecture
            an_update += update_flop(own, *sizes, batch=batch, double=double) - forward_flop(own, *sizes, rows=batch)
        self._flop += updates * an_update + forward_flop(self._target, *sizes, rows=steps)

    def _result(self) -> Result:
        self._count_cost()
        agent, returns = self.agent, self._curve.returns()
        sizes = agent.network.observation_size, agent.network.n_actions
        cost = Cost(
            agent.steps,
            agent.updates * len(agent.members),
            parameters=sum(member.candidate.architecture.parameter_count(*sizes) for member in agent.members),
            flop=self._flop,
        )
        score = float(returns[-FINAL_EPISODES:].mean())
        return Result(self.proposal, agent.network.architecture, score, returns.copy(), cost)
